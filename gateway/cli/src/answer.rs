//! Answers: shown, kept beside their evidence, their documents saved. They hold personal data and go nowhere else.

use std::path::{Path, PathBuf};

use clap::Args;
use covenant_api::{Base64Bytes, QueryState};
use covenant_canon::{Digest, Label, SuiteId};
use covenant_client::Reply;
use covenant_domain::{Answer, Disclosure, IntentId, Reason, Value};
use serde::{Deserialize, Serialize};

use crate::document::{Document, Exit};
use crate::error::CliError;
use crate::query::reason;
use crate::table::Table;
use crate::{files, words};

/// What to do with an answer beside printing it.
#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
    /// Folder for documents of the answer
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// File for the answer, sealed and opened, as `covenant verify --answer` reads it
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
}

/// An answer as it is kept: what the holder sealed, and what that opened to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// Sealed bytes; their digest stands in the completion.
    pub(crate) sealed: Base64Bytes,
    /// The opened answer.
    pub(crate) answer: Answer,
}

/// A document that was saved.
#[derive(Debug, Serialize)]
struct Saved {
    path: PathBuf,
    media_type: String,
    bytes: usize,
    digest: Digest,
}

#[derive(Serialize)]
struct Told<'a> {
    intent: IntentId,
    state: QueryState,
    reasons: &'a [Reason],
    receipted: bool,
    answer: Option<&'a Answer>,
    documents: Vec<Saved>,
}

impl AnswerArgs {
    /// Before anything is asked: the answer must not be written over another file.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        match &self.keep {
            Some(path) if path.exists() => {
                let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
                Err(CliError::File { action: "write", path: path.clone(), source })
            }
            _ => Ok(()),
        }
    }
}

/// Keeps, saves and shows a reply.
pub(crate) fn deliver(args: &AnswerArgs, suite: SuiteId, reply: &Reply) -> Result<Document, CliError> {
    if let (Some(path), Some(sealed), Some(answer)) = (&args.keep, &reply.sealed, &reply.answer) {
        keep(path, sealed, answer)?;
    }
    let documents = match (&args.save, &reply.answer) {
        (Some(dir), Some(answer)) => save(dir, suite, answer)?,
        _ => Vec::new(),
    };
    let human = told(reply, &documents);
    let Reply { intent, state, reasons, answer, receipted, .. } = reply;
    let machine =
        Told { intent: *intent, state: *state, reasons, receipted: *receipted, answer: answer.as_ref(), documents };
    Ok(Document::new(human, &machine).ending(exit(reply)))
}

fn exit(reply: &Reply) -> Exit {
    match reply.state {
        QueryState::Answered if reply.answer.as_ref().is_some_and(|a| a.failure.is_none()) => Exit::Done,
        QueryState::Received | QueryState::Permitted => Exit::Pending,
        _ => Exit::No,
    }
}

fn keep(path: &Path, sealed: &[u8], answer: &Answer) -> Result<(), CliError> {
    let kept = Kept { sealed: sealed.to_vec().into(), answer: answer.clone() };
    let json = serde_json::to_vec_pretty(&kept).map_err(|e| files::content(path, "an answer", e.to_string()))?;
    files::write_new(path, &json, true)
}

fn save(dir: &Path, suite: SuiteId, answer: &Answer) -> Result<Vec<Saved>, CliError> {
    let mut saved = Vec::new();
    for (row, fields) in (1..).zip(&answer.rows) {
        for disclosure in fields {
            let Disclosure::Open { field, value: Value::Document { media_type, bytes }, .. } = disclosure else {
                continue;
            };
            files::make_dir(dir)?;
            let path = dir.join(format!("{}-{row}-{field}.{}", answer.intent, extension(media_type)));
            // Saved before, when the query was resumed.
            if std::fs::read(&path).map_or(true, |there| &there != bytes) {
                files::write_new(&path, bytes, true)?;
            }
            let digest = Digest::of(suite, Label::DOCUMENT, bytes);
            saved.push(Saved { path, media_type: media_type.clone(), bytes: bytes.len(), digest });
        }
    }
    Ok(saved)
}

/// From a closed list: the media type comes from another party.
fn extension(media_type: &str) -> &'static str {
    match media_type {
        "application/pdf" => "pdf",
        "application/ofd" => "ofd",
        "application/json" => "json",
        "application/xml" | "text/xml" => "xml",
        "image/svg+xml" => "svg",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "text/plain" => "txt",
        _ => "bin",
    }
}

fn told(reply: &Reply, documents: &[Saved]) -> String {
    let sign = words::mark(exit(reply) == Exit::Done);
    let receipt = if reply.receipted { ", its receipt is on the ledger" } else { "" };
    let mut parts = vec![match reply.state {
        QueryState::Unknown => format!("✗ no node knows query {}", reply.intent),
        QueryState::Received | QueryState::Permitted => format!(
            "… query {} is {}, not final yet: `covenant query resume {}`",
            reply.intent,
            reply.state.name(),
            reply.intent
        ),
        _ => format!("{sign} query {} is {}{receipt}", reply.intent, reply.state.name()),
    }];
    parts.extend(reply.voided.iter().map(|why| format!("  its holder could not answer: {}", words::tame(why))));
    parts.extend(reply.reasons.iter().map(|r| format!("  {}", reason(r))));
    parts.extend(reply.answer.iter().flat_map(answered));
    for Saved { path, bytes, digest, .. } in documents {
        parts.push(format!("saved `{}`, {bytes} bytes, digest {digest}", path.display()));
    }
    parts.join("\n")
}

fn answered(answer: &Answer) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(failure) = &answer.failure {
        parts.push(format!("  the holder could not answer: {}", words::tame(failure)));
    }
    if !answer.matches.is_empty() {
        let mut table = Table::new(["field", "outcome"]);
        answer.matches.iter().for_each(|m| table.row([m.field.to_string(), words::name(&m.outcome)]));
        parts.push(table.to_string());
    }
    for (number, fields) in (1..).zip(&answer.rows) {
        if answer.rows.len() > 1 {
            parts.push(format!("record {number}"));
        }
        parts.push(record(fields));
    }
    if answer.failure.is_none() && answer.matches.is_empty() && answer.rows.is_empty() {
        parts.push("no record of this subject".into());
    }
    if answer.truncated {
        parts.push("there are more records than the permit allows to release".into());
    }
    parts
}

fn record(fields: &[Disclosure]) -> String {
    if fields.iter().all(|d| matches!(d, Disclosure::Closed { .. })) {
        return format!("no value was released: all {} fields are withheld, each behind its commitment", fields.len());
    }
    let mut table = Table::new(["field", "value"]);
    fields.iter().for_each(|d| table.row([d.field().to_string(), shown(d)]));
    table.to_string()
}

fn shown(disclosure: &Disclosure) -> String {
    match disclosure {
        Disclosure::Closed { .. } => "(withheld)".into(),
        Disclosure::Open { value: Value::Absent, .. } => "(none)".into(),
        Disclosure::Open { value, .. } => value.to_text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_domain::{DatasetId, FieldName, Mode, ReasonCode};

    fn reply(state: QueryState, value: Option<Value>) -> Reply {
        let intent = IntentId::from_parts(1, &[1; 10]);
        let field = |name| FieldName::new(name).unwrap();
        let row = |value| {
            vec![
                Disclosure::Open { field: field("licence_file"), salt: [0; 16], value },
                Disclosure::Closed { field: field("owner"), commitment: Digest::ZERO },
            ]
        };
        let answer = value.map(|value| Answer {
            intent,
            dataset: DatasetId::new("cov:a/b/c/d/e").unwrap(),
            mode: Mode::Detail,
            matches: vec![],
            rows: vec![row(value)],
            truncated: false,
            failure: None,
            salt: [0; 16],
        });
        Reply { intent, state, reasons: vec![], answer, sealed: Some(vec![1, 2]), receipted: true, voided: None }
    }

    #[test]
    fn withheld_fields_are_shown_as_such() {
        let reply = reply(QueryState::Answered, Some(Value::Text("a\u{1b}b".into())));
        let document = deliver(&AnswerArgs { save: None, keep: None }, SuiteId::Sm, &reply).unwrap();
        assert!(document.human.contains("(withheld)") && document.human.contains("a\u{fffd}b"), "{}", document.human);
        assert_eq!((document.exit, document.machine["state"].as_str()), (Exit::Done, Some("answered")));
    }

    #[test]
    fn documents_are_saved_with_their_digest_and_answers_kept() {
        let dir = tempfile::tempdir().unwrap();
        let value = Value::Document { media_type: "image/svg+xml".into(), bytes: b"<svg/>".to_vec() };
        let args = AnswerArgs { save: Some(dir.path().join("docs")), keep: Some(dir.path().join("kept.json")) };
        args.check().unwrap();
        let reply = reply(QueryState::Answered, Some(value));
        let document = deliver(&args, SuiteId::Sm, &reply).unwrap();
        let saved = &document.machine["documents"][0];
        assert_eq!(std::fs::read(saved["path"].as_str().unwrap()).unwrap(), b"<svg/>");
        assert_eq!(saved["digest"], Digest::of(SuiteId::Sm, Label::DOCUMENT, b"<svg/>").to_string());
        let kept: Kept = files::read_value(&dir.path().join("kept.json"), "an answer").unwrap();
        assert_eq!(kept.sealed.0, [1, 2]);
        assert!(args.check().is_err(), "nothing is overwritten");
        deliver(&AnswerArgs { keep: None, ..args }, SuiteId::Sm, &reply).unwrap();
    }

    #[test]
    fn refusals_and_waiting_end_differently() {
        let args = AnswerArgs { save: None, keep: None };
        let mut refused = reply(QueryState::Refused, None);
        refused.reasons = vec![Reason::new(ReasonCode::ConsentRequired, "no consent")];
        let document = deliver(&args, SuiteId::Sm, &refused).unwrap();
        assert!(document.human.contains("no consent [consent-required]"), "{}", document.human);
        assert_eq!(document.exit, Exit::No);
        let waiting = deliver(&args, SuiteId::Sm, &reply(QueryState::Permitted, None)).unwrap();
        assert_eq!(waiting.exit, Exit::Pending);
    }
}
