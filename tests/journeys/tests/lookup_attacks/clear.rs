//! Nothing on disk but the departments' own records names whom somebody looked up.

use std::path::{Path, PathBuf};

use covenant_client::Transport;
use covenant_domain::{CaseNumber, Subject};
use covenant_journeys::dataset;

use crate::spy::Tricks;
use crate::world::{CREDIT, found, shared};

/// What may name people: each department's records with SQLite's companions, and the exports they were imported from.
fn is_own_record(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    let own = ["records.db", "records.db-wal", "records.db-shm"].contains(&name.as_ref());
    own || path.components().any(|c| ["export", "documents"].iter().any(|d| c.as_os_str() == *d))
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|w| w == needle.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_names_whom_somebody_looked_up() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    // The demo's own client of the bank keeps what it fetches below the consortium's folder.
    let bank = world.consortium.client("bank").await.unwrap();
    bank.prepare_lookups(&dataset(CREDIT)).await.unwrap();
    let present = &world.city.residents[50..58];
    let mut subjects: Vec<Subject> = present.iter().map(crate::world::subject).collect();
    subjects.extend(world.absent[10..14].iter().cloned());
    let mut intents = Vec::new();
    for (subject, ticket) in subjects.iter().zip(gate.consents(&subjects, 1).await) {
        let answer = bank.look_up(gate.question(&ticket, subject)).await.unwrap();
        found(&answer);
        intents.push(answer.intent);
    }
    let regulator = gate.client("regulator", Transport::Rest).await;
    let case = CaseNumber::new("JC-2026/50").unwrap();
    regulator.open_case(&case, intents.clone(), b"order").await.unwrap();
    for trustee in ["court", "audit-office"] {
        gate.client(trustee, Transport::Rest).await.help_case(&case, &world.shares[trustee]).await.unwrap();
    }
    assert!(regulator.open_escrow(&case, &intents[0]).await.unwrap().is(&subjects[0]));

    let mut needles: Vec<&str> = subjects.iter().map(Subject::expose).collect();
    needles.extend(present.iter().map(|r| r.name.as_str()));
    let (mut all, mut searched, mut own) = (Vec::new(), 0, 0);
    files(&world.dir, &mut all);
    for path in all {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let named = needles.iter().filter(|n| holds(&bytes, n)).count();
        if is_own_record(&path) {
            own += named;
            continue;
        }
        searched += 1;
        assert_eq!(named, 0, "`{}` names {named} of them", path.display());
    }
    assert!(own >= needles.len() - 4, "the search finds nobody where everybody is: it is no search");
    assert!(searched > 20, "only {searched} files");
    assert!(world.dir.join("bank/fetched").is_dir() && world.dir.join("credit-centre/epochs").is_dir());
}
