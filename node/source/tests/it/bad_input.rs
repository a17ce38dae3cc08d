//! Files that are wrong, and what is said about them.

use covenant_domain::{Subject, Value};
use covenant_source::{ImportOptions, SourceError};

use crate::support::{Desk, homes, homes_csv, mapping, person, text};

const HEADER: &str = "id,address,area,since,mortgaged\n";

fn row(n: u64, rest: &str) -> String {
    format!("{},{rest}\n", person(n).expose())
}

async fn refused(desk: &Desk, content: impl AsRef<[u8]>) -> String {
    let error = desk.import(content, ImportOptions { replace: true, ..Default::default() }).await.unwrap_err();
    assert_eq!(desk.count().await, 1, "{error}");
    error.to_string()
}

#[tokio::test]
async fn files_that_are_no_table_change_nothing() {
    let desk = Desk::new().await;
    desk.import(format!("{HEADER}{}", row(1, "街 1,1,,")), ImportOptions::default()).await.unwrap();
    let open_quote = format!("{HEADER}{}{}", row(1, "街,1,,"), row(2, "\"街,1,,")) + &row(3, "街,1,,").repeat(9);
    let cases: Vec<(Vec<u8>, &[&str])> = vec![
        ("".into(), &["line 1", "empty"]),
        ("\u{feff}".into(), &["empty"]),
        ("\r\n\r\n".into(), &["empty"]),
        (HEADER.into(), &["no rows"]),
        ("id,address\n1,2\n".into(), &["no column `area`", "`id`, `address`"]),
        ("id;address;area;since;mortgaged\n".into(), &["delimiter"]),
        ("id,address,area,since,mortgaged,id\n".into(), &["`id` appears twice"]),
        (b"id,\xff\n1,2\n".into(), &["header is not utf-8"]),
        (b"\xff\xfei\0d\0\n\0".into(), &["utf-16"]),
        (open_quote.into(), &["line 3", "never ends"]),
        (format!("{HEADER}{}", row(2, "\"a\"b,1,,")).into(), &["line 2", "follows a closing quote"]),
        (format!("{HEADER}{}", row(2, &format!("\"{},1,,", "x".repeat(9 << 20)))).into(), &["line 2", "8 MiB"]),
    ];
    for (content, needles) in cases {
        let error = refused(&desk, content).await;
        assert!(needles.iter().all(|n| error.contains(n)) && error.contains("homes.csv"), "{needles:?}: {error}");
    }
    let missing = desk
        .vault
        .import(&homes(), &homes_csv(), &desk.dir.path().join("no.csv"), ImportOptions::default(), &mut |_| {})
        .await;
    assert!(missing.unwrap_err().to_string().contains("cannot read"));
}

/// One bad row of each sort between good ones; quoted line breaks before them, so that physical lines matter.
fn mixed() -> Vec<u8> {
    let mut content = format!("\u{feff}{HEADER}").replace('\n', "\r\n").into_bytes();
    let mut add = |text: String| content.extend(text.replace('\n', "\r\n").into_bytes());
    add(row(1, "\"first\nsecond \"\"line\"\"\",1.5,2020-02-29,是")); // lines 2 and 3
    add("\n".into()); // line 4
    add(row(2, "short")); // line 5
    add(row(3, "街,1.00001,,")); // 6
    add(row(4, "街,1,2021-02-29,")); // 7
    add(row(5, ",1,,")); // 8
    add(row(6, "街,1,,maybe")); // 9
    add("110105194912310021,街,1,,\n".into()); // 10: wrong check digit
    add(row(1, "街,1,,")); // 11: again
    add(row(7, "街,1,,,surplus")); // 12
    add(",街,1,,\n".into()); // 13
    content.extend(person(8).expose().as_bytes());
    content.extend(b",\xb1\xb1,1,,\r\n"); // 14: gb18030
    content.extend(format!("{},last,2,,0", person(9).expose()).into_bytes()); // 15, no line end
    content
}

#[tokio::test]
async fn bad_rows_are_named_written_and_never_dropped() {
    let desk = Desk::new().await;
    let rejects = desk.dir.path().join("bad.csv");
    let options = ImportOptions { rejects: Some(rejects.clone()), ..Default::default() };
    let error = desk.import(mixed(), options.clone()).await.unwrap_err();
    assert!(error.to_string().contains("10 of 12 rows") && error.to_string().contains("bad.csv"), "{error}");
    assert_eq!(desk.count().await, 0);
    let report = desk.import(mixed(), ImportOptions { keep_going: true, ..options }).await.unwrap();
    assert_eq!((report.rows, report.imported, report.rejected), (12, 2, 10));
    let want = [
        (5, "", "2 columns where the header has 5"),
        (6, "area", "more than 4 decimals"),
        (7, "since", "not a date"),
        (8, "address", "empty but required"),
        (9, "mortgaged", "true_values"),
        (10, "id", "check digit"),
        (11, "id", "repeats the subject of line 2"),
        (12, "", "6 columns"),
        (13, "id", "empty but required"),
        (14, "address", "not valid utf-8"),
    ];
    assert_eq!(report.first_rejects.len(), want.len());
    for (reject, (line, column, reason)) in report.first_rejects.iter().zip(want) {
        assert_eq!((reject.line, reject.column.as_str()), (line, column), "{reject}");
        assert!(reject.reason.contains(reason) && !reject.to_string().contains("1100"), "{reject}");
    }
    let written: Vec<csv::ByteRecord> = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_path(&rejects)
        .unwrap()
        .byte_records()
        .map(Result::unwrap)
        .collect();
    assert_eq!(written[0].iter().skip(5).collect::<Vec<_>>(), [&b"line"[..], b"column", b"reason"]);
    assert_eq!((&written[7][0], &written[7][5]), (person(1).expose().as_bytes(), &b"11"[..]));
    assert_eq!((&written[8][5], &written[8][8]), (&b"12"[..], &b"surplus"[..]));
    assert_eq!(&written[10][1], b"\xb1\xb1", "rows are kept as they were");
    assert_eq!(written.len(), 11);
    let found = desk.homes().find(&[person(1), person(9)], 1).await.unwrap();
    assert_eq!(text(&found[0][0], "address"), "first second \"line\"");
    assert_eq!(found[1][0].values[1].1, Value::Integer(20_000));
}

#[cfg(unix)]
#[tokio::test]
async fn the_reject_file_is_private_and_never_the_input() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new().await;
    let bad = format!("{HEADER}{}", row(1, "街,x,,"));
    let SourceError::Rejected(report) = desk.import(&bad, ImportOptions::default()).await.unwrap_err() else {
        panic!()
    };
    let written = report.rejects_file.unwrap();
    assert!(written.ends_with("homes.csv.rejects.csv"));
    assert_eq!(written.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let over = ImportOptions { rejects: Some(desk.dir.path().join("homes.csv")), ..Default::default() };
    assert!(desk.import(&bad, over).await.unwrap_err().to_string().contains("cannot write"));
    assert_eq!(std::fs::read_to_string(desk.dir.path().join("homes.csv")).unwrap(), bad);
    let nowhere = ImportOptions { rejects: Some("/nowhere/bad.csv".into()), keep_going: true, ..Default::default() };
    assert!(desk.import(&bad, nowhere).await.unwrap_err().to_string().contains("/nowhere/bad.csv"));
}

#[tokio::test]
async fn nothing_good_replaces_nothing() {
    let desk = Desk::new().await;
    desk.import(format!("{HEADER}{}", row(1, "街,1,,")), ImportOptions::default()).await.unwrap();
    let options = ImportOptions { keep_going: true, replace: true, ..Default::default() };
    assert!(matches!(
        desk.import(format!("{HEADER}{}", row(1, "街,x,,")), options).await,
        Err(SourceError::Rejected(_))
    ));
    assert_eq!(desk.count().await, 1);
}

#[tokio::test]
async fn mappings_that_do_not_fit_the_dataset() {
    let desk = Desk::new().await;
    let file = desk.file("homes.csv", format!("{HEADER}{}", row(1, "街,1,,")));
    let person = "subject = { column = \"id\", kind = \"resident\" }\n";
    let field =
        |name: &str, kind: &str| format!("[[field]]\nname = \"{name}\"\ncolumn = \"address\"\ntype = \"{kind}\"\n");
    for (mapping, needles) in [
        (mapping(person, &field("colour", "text")), ["homes.toml", "no field `colour`"]),
        (mapping(person, &field("area_cm2", "text")), ["line 4", "Integer"]),
        (mapping(person, &(field("address", "text") + &field("address", "text"))), ["line 8", "twice"]),
        (
            mapping("subject = { column = \"id\", kind = \"company\" }\n", &field("address", "text")),
            ["`company`", "`resident`"],
        ),
    ] {
        let error = desk
            .vault
            .import(&homes(), &mapping, &file, ImportOptions::default(), &mut |_| {})
            .await
            .unwrap_err()
            .to_string();
        assert!(needles.iter().all(|n| error.contains(n)), "{error}");
    }
    let tables = mapping(
        "subject = { kind = \"resident\" }\n[table]\nname = \"t\"\nkey_column = \"k\"\n",
        &field("address", "text"),
    );
    assert!(desk.vault.import(&homes(), &tables, &file, ImportOptions::default(), &mut |_| {}).await.is_err());
    let upper: Vec<Subject> = vec![];
    assert!(desk.homes().find(&upper, 1).await.unwrap().is_empty());
}
