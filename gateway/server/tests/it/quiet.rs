//! Logs hold no personal data, no secret and no query string.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use covenant_client::Transport;
use covenant_domain::Mode;

use super::support::{HOMES, PERSON, World, question};

#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<u8>>>);

impl Write for Book {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_say_who_and_what_but_never_about_whom() {
    let book = Book::default();
    let writer = {
        let book = book.clone();
        move || book.clone()
    };
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(writer).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let world = World::new().await;
    let client = world.client("bank", Transport::Rest).await;
    let reply = client.ask(question(Mode::Detail, "mortgage-review")).await.unwrap();
    let intent = reply.intent;
    world.raw("bank").get(&format!("/v1/queries/{intent}?wait_ms=7&note={PERSON}")).await;
    world.raw("insurer").get(&format!("/v1/queries/{intent}/evidence")).await;
    world.raw("bank").post("/v1/plan", format!("{{\"subject\":\"{PERSON}\"}}")).await;
    let rows = format!("/v1/epoch-files/matrix?dataset={HOMES}&epoch=1&length=1");
    world.raw("bank").get(&format!("{rows}&note={PERSON}")).await;
    world.raw("bank").get(&rows).await;
    let log = String::from_utf8(book.0.lock().unwrap().clone()).unwrap();
    let ours: Vec<&str> = log.lines().filter(|l| l.contains("covenant")).collect();
    assert!(ours.iter().any(|l| l.contains("route=\"/v1/queries\"") && l.contains("member=\"bank\"")), "{ours:#?}");
    assert!(ours.iter().any(|l| l.contains("covenant::audit") && l.contains("insurer")), "denials are not silent");
    let denied = |l: &&str| l.contains("covenant::audit") && l.contains("bank") && l.contains(HOMES);
    assert!(ours.iter().any(denied), "{ours:#?}");
    for line in &ours {
        for secret in [PERSON, "欧阳修", "wait_ms", "note=", "dataset="] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}
