//! The vault's own behaviour, the same on SQLite and PostgreSQL.

use covenant_domain::{SubjectKind, Value};
use covenant_source::{ImportOptions, SourceError, Vault, synthetic_subject};

use crate::support::postgres::Postgres;
use crate::support::{Desk, homes, homes_csv, person, skipped, text};

const HEADER: &str = "id,address,area,since,mortgaged\n";

fn rows(numbers: impl IntoIterator<Item = u64>, street: &str) -> String {
    let row = |n: u64| format!("{},{street} {n},{n}.25,2020-01-02,是\n", person(n).expose());
    HEADER.to_owned() + &numbers.into_iter().map(row).collect::<String>()
}

/// Import, look up, add, replace, several rows per subject.
async fn story(vault: &Vault) {
    let dir = tempfile::tempdir().unwrap();
    let (dataset, mapping, file) = (homes(), homes_csv(), dir.path().join("homes.csv"));
    let import = async |content: String, options: ImportOptions| {
        std::fs::write(&file, content).unwrap();
        vault.import(&dataset, &mapping, &file, options, &mut |_| {}).await
    };
    let source = vault.source(&dataset);
    assert_eq!(source.find(&[person(1)], 5).await.unwrap(), vec![vec![]]);
    import(rows(1..=250, "甲街"), ImportOptions::default()).await.unwrap();
    // More subjects than one statement takes, one unknown, one asked twice, in no order.
    let asked: Vec<_> = (1..=250).rev().chain([999, 7]).map(person).collect();
    let found = source.find(&asked, 1).await.unwrap();
    assert_eq!(found.len(), 252);
    assert_eq!(text(&found[0][0], "address"), "甲街 250");
    assert_eq!(text(&found[249][0], "area_cm2"), "12500");
    assert!(found[250].is_empty() && found[251] == found[243]);
    assert_eq!(found[0][0].values.last().map(|(_, v)| v), Some(&Value::Absent), "fields without a column are absent");
    let company = synthetic_subject(SubjectKind::Company, 1);
    assert!(matches!(source.find(&[company], 1).await, Err(SourceError::SubjectKind { .. })));

    import(rows(251..=260, "甲街"), ImportOptions::default()).await.unwrap();
    assert_eq!(vault.count(&dataset.id).await.unwrap(), 260);
    let again = import(rows([260, 261, 260], "乙街"), ImportOptions::default()).await.unwrap_err();
    assert!(
        again.to_string().contains("in the vault already") && again.to_string().contains("nothing was changed"),
        "{again}"
    );
    let SourceError::Rejected(report) = again else { panic!() };
    assert!(report.first_rejects.iter().all(|r| r.reason.contains("in the vault already")));
    assert_eq!((report.rows, report.rejected, report.imported), (3, 2, 0));

    let several = ImportOptions { multiple: true, replace: true, ..Default::default() };
    import(rows([3, 1, 3, 3, 3], "丙街"), several).await.unwrap();
    assert_eq!(vault.count(&dataset.id).await.unwrap(), 5);
    let found = source.find(&[person(1), person(2), person(3)], 2).await.unwrap();
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 3], "one more than the limit");
}

#[tokio::test]
async fn story_on_sqlite() {
    story(&Desk::new().await.vault).await;
    story(&Vault::open("sqlite::memory:").await.unwrap()).await;
}

#[tokio::test]
async fn story_on_postgres() {
    let Some(server) = Postgres::start() else { return skipped("story_on_postgres", "no PostgreSQL") };
    let vault = Vault::open(&server.url()).await.unwrap();
    story(&vault).await;
    crate::interrupted::aborted_import_changes_nothing(vault).await;
}

#[tokio::test]
async fn a_vault_opens_again_with_its_records() {
    let desk = Desk::new().await;
    desk.import(rows(1..=3, "街"), ImportOptions::default()).await.unwrap();
    let again = Vault::open(&format!("sqlite://{}", desk.dir.path().join("vault.db").display())).await.unwrap();
    assert_eq!(again.count(&homes().id).await.unwrap(), 3);
    let mut later = homes();
    later.fields.rotate_left(2);
    let found = again.source(&later).find(&[person(2)], 1).await.unwrap();
    assert_eq!(found[0][0].values[0].0.as_str(), "since", "in the order that the dataset has now");
}

#[tokio::test]
async fn no_database_is_named_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.db");
    std::fs::write(&path, "not a database at all".repeat(400)).unwrap();
    let error = Vault::open(&format!("sqlite://{}", path.display())).await.unwrap_err().to_string();
    assert!(error.contains("damaged or no database"), "{error}");
    let error = Vault::open("sqlite:///nowhere/at/all.db").await.unwrap_err().to_string();
    assert!(error.contains("cannot be opened, check its folder"), "{error}");
    let error = Vault::open("postgres://u:secret@127.0.0.1:1/x").await.unwrap_err().to_string();
    assert!(error.contains("check that it runs") && !error.contains("secret"), "{error}");
}

#[tokio::test]
async fn two_imports_do_not_mix() {
    let desk = Desk::new().await;
    let (one, two) = (desk.file("1.csv", rows(1..=9_000, "一")), desk.file("2.csv", rows(1..=9_000, "二")));
    let (dataset, mapping, options) = (homes(), homes_csv(), ImportOptions::default());
    let mut quiet = (|_| {}, |_| {});
    let (first, second) = tokio::join!(
        desk.vault.import(&dataset, &mapping, &one, options.clone(), &mut quiet.0),
        desk.vault.import(&dataset, &mapping, &two, options.clone(), &mut quiet.1),
    );
    assert!(first.is_ok() && matches!(second, Err(SourceError::Busy)));
}
