//! An opened answer against the bundle of its query.

use covenant_canon::{Digest, Label};
use covenant_domain::{Answer, Body, Completion, Disclosure, Mode, Permit};

use crate::{Bundle, Closure, Genesis};

/// Checks that `sealed` is the recorded answer, `opened` the recorded content, and both within the permit.
pub(crate) fn check_answer(bundle: &Bundle, genesis: &Genesis, sealed: &[u8], opened: &Answer) -> Result<(), String> {
    let Closure::Completed { completion, .. } = &bundle.closure else {
        return Err("the query was not completed".into());
    };
    let Body::Completion(Completion { intent, answer, fields_root, .. }) = &completion.leaf.entry.body else {
        return Err("closing entry is not a completion".into());
    };
    if &Digest::of(genesis.suite, Label::ANSWER, sealed) != answer {
        return Err("sealed answer is not the recorded one".into());
    }
    let permit = match &bundle.decision.entry.body {
        Body::Decision(decision) => decision.permit(),
        _ => None,
    };
    let Some(permit) = permit else { return Err("no permit".into()) };
    if &opened.intent != intent || opened.dataset != permit.dataset || opened.mode != permit.mode {
        return Err("opened answer is to another query".into());
    }
    if permit.mode == Mode::Lookup {
        // Only the secrets of the query open what was retrieved; nobody else can tell whether this came out of it.
        return Err("the sealed answer is the recorded one, but only its consumer can open a lookup".into());
    }
    opened.check(genesis.suite, fields_root, &permit.obligations.fields).map_err(|e| e.to_string())?;
    keeps_obligations(opened, permit)
}

/// What the permit demands of an answer beside its fields.
fn keeps_obligations(opened: &Answer, permit: &Permit) -> Result<(), String> {
    let opens = opened.rows.iter().flatten().any(|d| matches!(d, Disclosure::Open { .. }));
    match permit.mode {
        _ if opened.rows.len() > permit.obligations.max_rows as usize => {
            Err(format!("{} records where the permit allows {}", opened.rows.len(), permit.obligations.max_rows))
        }
        Mode::Match if opens => Err("mode `match` opens no field".into()),
        Mode::Lookup | Mode::Detail | Mode::Submit if !opened.matches.is_empty() => {
            Err(format!("mode `{}` compares nothing", permit.mode))
        }
        _ => Ok(()),
    }
}
