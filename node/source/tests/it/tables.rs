//! The three public tables, imported whole and compared with a plain reading of their files.

use covenant_domain::{Record, Subject, Value};
use covenant_source::{Conversion, ImportOptions, Mapping, synthetic_subject};

use crate::support::{Desk, described, shared};

async fn import_and_compare(table: &str, rows: usize) {
    let Some(dir) = shared(table) else { return };
    let (desk, (dataset, mapping)) = (Desk::new().await, described(table));
    let file = dir.join(format!("{table}.csv"));
    let mut last = covenant_source::Progress::default();
    let mut progress = |p| last = p;
    let report = desk.vault.import(&dataset, &mapping, &file, ImportOptions::default(), &mut progress).await.unwrap();
    println!("{table}: {} rows in {} ms", report.imported, report.elapsed_ms);
    assert_eq!((report.rows, report.imported, report.rejected), (rows as u64, rows as u64, 0));
    assert_eq!((last.rows, last.bytes), (rows as u64, last.total_bytes));
    assert_eq!(desk.vault.count(&dataset.id).await.unwrap(), rows as u64);

    let mut plain = csv::Reader::from_path(&file).unwrap();
    let header: Vec<String> =
        plain.headers().unwrap().iter().map(|h| h.trim_start_matches('\u{feff}').to_owned()).collect();
    let cells: Vec<csv::StringRecord> = plain.records().map(Result::unwrap).collect();
    assert_eq!(cells.len(), rows);
    let chosen: Vec<usize> = (0..200_usize).map(|i| (i * 7_919 + i * i * 31) % rows).collect();
    let subjects: Vec<Subject> = chosen.iter().map(|row| synthetic_subject(dataset.subject, *row as u64 + 1)).collect();
    let found = desk.vault.source(&dataset).find(&subjects, 1).await.unwrap();
    for (row, records) in chosen.iter().zip(&found) {
        assert_eq!(records.len(), 1, "row {row}");
        assert!(records[0].values.iter().map(|(n, _)| n).eq(dataset.fields.iter().map(|f| &f.name)));
        compare(&mapping, &header, &cells[*row], &records[0]);
    }
}

/// Compares by other means than the crate's: floats, split dates, white space folded by hand.
fn compare(mapping: &Mapping, header: &[String], cells: &csv::StringRecord, record: &Record) {
    for rule in &mapping.fields {
        let cell = cells.get(header.iter().position(|h| h == &rule.column).unwrap()).unwrap().trim();
        let want = match (&rule.conversion, cell.is_empty()) {
            (_, true) => Value::Absent,
            (Conversion::Integer | Conversion::Decimal { .. }, _) => {
                Value::Integer(cell.parse::<f64>().unwrap() as i64)
            }
            (Conversion::Boolean { .. }, _) => Value::Boolean(cell == "1"),
            (Conversion::Date { .. }, _) => {
                let parts: Vec<u32> = cell.split('/').map(|p| p.parse().unwrap()).collect();
                let century = if parts[2] < 69 { 2000 } else { 1900 };
                Value::Date(format!("{:04}-{:02}-{:02}", century + parts[2], parts[0], parts[1]))
            }
            _ => Value::Text(cell.replace("  ", " ").replace("  ", " ")),
        };
        let got = record.get(&rule.name).unwrap();
        assert!(got == &want, "{}: `{}` where the file has `{cell}`", rule.column, got.to_text());
    }
}

#[tokio::test]
async fn business_licences() {
    import_and_compare("business_licences", 14_573).await;
}

#[tokio::test]
async fn property_assessments() {
    import_and_compare("property_assessments", 2_930).await;
}

#[tokio::test]
async fn credit_card_clients() {
    import_and_compare("credit_card_clients", 30_000).await;
}
