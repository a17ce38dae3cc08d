//! Imports that end before their end, and databases that refuse.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use covenant_source::{ImportOptions, Vault};
use sea_orm::{ConnectionTrait, Database};

use crate::support::{Desk, homes, homes_csv, person, text};

const CHILD: &str = "COVENANT_SOURCE_TEST_CHILD";

fn many(street: &str, rows: u64) -> String {
    let row = |n| format!("{},{street} {n},1,,\n", person(n).expose());
    "id,address,area,since,mortgaged\n".to_owned() + &(1..=rows).map(row).collect::<String>()
}

fn replace() -> ImportOptions {
    ImportOptions { replace: true, ..Default::default() }
}

async fn unchanged(vault: &Vault) {
    assert_eq!(vault.count(&homes().id).await.unwrap(), 2);
    let found = vault.source(&homes()).find(&[person(1), person(3)], 1).await.unwrap();
    assert_eq!(text(&found[0][0], "address"), "旧街 1");
    assert!(found[1].is_empty());
}

/// Aborts the task after its first batch was written; then the vault must hold what it held and take the next import.
pub(crate) async fn aborted_import_changes_nothing(vault: Vault) {
    let dir = tempfile::tempdir().unwrap();
    let (former, next) = (dir.path().join("former.csv"), dir.path().join("next.csv"));
    std::fs::write(&former, many("旧街", 2)).unwrap();
    std::fs::write(&next, many("新街", 20_000)).unwrap();
    vault.import(&homes(), &homes_csv(), &former, replace(), &mut |_| {}).await.unwrap();
    let (send, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let (importing, path) = (vault.clone(), next.clone());
    let task = tokio::spawn(async move {
        let mut progress = |p| send.send(p).unwrap();
        importing.import(&homes(), &homes_csv(), &path, replace(), &mut progress).await
    });
    assert!(begun.recv().await.unwrap().rows < 20_000);
    unchanged(&vault).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    unchanged(&vault).await;
    let report = vault.import(&homes(), &homes_csv(), &next, replace(), &mut |_| {}).await.unwrap();
    assert_eq!(report.imported, 20_000);
}

#[tokio::test]
async fn an_aborted_import_changes_nothing() {
    aborted_import_changes_nothing(Desk::new().await.vault).await;
}

/// Not a test of its own: the process that `a_killed_process_changes_nothing` kills.
#[tokio::test]
async fn child() {
    let Ok(dir) = std::env::var(CHILD).map(PathBuf::from) else { return };
    let vault = Vault::open(&format!("sqlite://{}", dir.join("vault.db").display())).await.unwrap();
    let mut wait_for_death = |_| {
        std::fs::write(dir.join("begun"), "").unwrap();
        std::thread::sleep(Duration::from_secs(60));
    };
    let _never = vault.import(&homes(), &homes_csv(), &dir.join("next.csv"), replace(), &mut wait_for_death).await;
}

#[tokio::test]
async fn a_killed_process_changes_nothing() {
    let desk = Desk::new().await;
    desk.import(many("旧街", 2), replace()).await.unwrap();
    desk.file("next.csv", many("新街", 20_000));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "interrupted::child"])
        .env(CHILD, desk.dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !desk.dir.path().join("begun").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the child ended early");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    unchanged(&desk.vault).await;
    desk.import(many("新街", 10), replace()).await.unwrap();
    assert_eq!(desk.count().await, 10);
}

#[tokio::test]
async fn a_locked_database_says_so() {
    let desk = Desk::new().await;
    desk.import(many("旧街", 2), replace()).await.unwrap();
    let other = Database::connect(format!("sqlite://{}", desk.dir.path().join("vault.db").display())).await.unwrap();
    let locked = sea_orm::TransactionTrait::begin(&other).await.unwrap();
    locked.execute_unprepared("UPDATE vault_dataset SET records = records").await.unwrap();
    let error = desk.import(many("新街", 10), replace()).await.unwrap_err().to_string();
    assert!(error.contains("locked by another program"), "{error}");
    locked.rollback().await.unwrap();
    unchanged(&desk.vault).await;
}
