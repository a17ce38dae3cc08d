//! `covenant grant`: the consumer signs, the holder issues.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use covenant_canon::{Digest, Label, to_bytes};
use covenant_client::{GrantStatusView, Identity};
use covenant_domain::{Body, DeletionAttestation, Grant, GrantChange, GrantId, SignedGrant};
use covenant_suite::suite;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::publish::publish;
use crate::table::Table;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum GrantCommand {
    /// Sign a draft as its consumer; a draft without `id` gets one
    Sign {
        /// The draft, TOML or JSON
        file: PathBuf,
        /// The new file with grant and signature
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Issue a signed grant as its holder
    Issue {
        /// What `grant sign` wrote
        file: PathBuf,
    },
    /// Suspend a grant
    Suspend {
        /// Its id
        id: GrantId,
    },
    /// Resume a grant that this member suspended
    Resume {
        /// Its id
        id: GrantId,
    },
    /// Revoke a grant for good
    Revoke {
        /// Its id
        id: GrantId,
    },
    /// Attest, as consumer of an ended grant, that what was learned under it is deleted
    Deleted {
        /// Its id
        id: GrantId,
        /// How
        #[arg(long)]
        method: String,
        /// The operator who answers for it
        #[arg(long)]
        operator: String,
        /// Answers deleted
        #[arg(long)]
        answers: u64,
    },
    /// List grants of which this member is a party
    List,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: GrantCommand) -> Result<Document, CliError> {
    let (grant, change) = match command {
        GrantCommand::Sign { file, out } => return sign(&*context.identity()?, &file, &out),
        GrantCommand::Issue { file } => return issue(context, &file).await,
        GrantCommand::List => return list(context).await,
        GrantCommand::Deleted { id: grant, method, operator, answers } => {
            let attestation = DeletionAttestation { grant, method, operator, answers };
            return publish(&context.client().await?, Body::DeletionAttested(attestation)).await;
        }
        GrantCommand::Suspend { id } => (id, GrantChange::Suspended),
        GrantCommand::Resume { id } => (id, GrantChange::Resumed),
        GrantCommand::Revoke { id } => (id, GrantChange::Revoked),
    };
    publish(&context.client().await?, Body::GrantChanged { grant, change }).await
}

fn sign(identity: &Identity, file: &Path, out: &Path) -> Result<Document, CliError> {
    let grant = read_draft(file)?;
    if grant.consumer != identity.member {
        let text = format!(
            "`{}` names consumer `{}`, the key is that of `{}`",
            file.display(),
            grant.consumer,
            identity.member
        );
        return Err(CliError::usage(text));
    }
    let id = identity.signing.suite();
    let digest = Digest::of(id, Label::GRANT, &to_bytes(&grant));
    let signature = suite(id)
        .sign(&identity.signing, Label::GRANT, digest.as_bytes())
        .map_err(|source| CliError::Crypto { step: "signing the grant", source })?;
    let signed = SignedGrant { grant, consumer_signature: signature.to_string() };
    let json = serde_json::to_vec_pretty(&signed).map_err(|e| files::content(out, "a signed grant", e.to_string()))?;
    files::write_new(out, &json, false)?;
    let human =
        format!("✓ grant {} is signed: send `{}` to holder `{}`", signed.grant.id, out.display(), signed.grant.holder);
    Ok(Document::new(human, &signed))
}

fn read_draft(file: &Path) -> Result<Grant, CliError> {
    let mut draft: serde_json::Value = files::read_value(file, "a grant")?;
    if let Some(object) = draft.as_object_mut() {
        object.entry("id").or_insert_with(|| fresh_id().to_string().into());
    }
    serde_json::from_value(draft).map_err(|e| files::content(file, "a grant", e.to_string()))
}

fn fresh_id() -> GrantId {
    GrantId::from_parts(words::now_ms(), &covenant_client::ten_random_bytes())
}

async fn issue(context: &Context, file: &Path) -> Result<Document, CliError> {
    let signed: SignedGrant = files::read_value(file, "a signed grant")?;
    publish(&context.client().await?, Body::GrantIssued(signed)).await
}

async fn list(context: &Context) -> Result<Document, CliError> {
    let grants = context.client().await?.grants().await?;
    let mut table =
        Table::new(["grant", "holder", "consumer", "dataset", "purpose", "modes", "state", "used", "until"]);
    for view in &grants {
        let grant = &view.state.grant;
        table.row([
            grant.id.to_string(),
            grant.holder.to_string(),
            grant.consumer.to_string(),
            grant.dataset.to_string(),
            grant.purpose.to_string(),
            words::list(&grant.modes),
            state(view),
            format!("{}/{}", view.used_in_window, grant.quota.limit),
            words::time(grant.valid_until_ms),
        ]);
    }
    Ok(Document::new(table.to_string(), &grants))
}

fn state(view: &GrantStatusView) -> String {
    let state = &view.state;
    if let Some(by) = &state.superseded_by {
        return format!("superseded by {by}");
    }
    if state.revoked {
        return "revoked".into();
    }
    if state.suspended_by.is_empty() {
        "active".into()
    } else {
        format!("suspended by {}", words::list(&state.suspended_by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_domain::MemberId;
    use covenant_suite::SuiteId;

    const DRAFT: &str = r#"
holder = "tax"
consumer = "bank"
dataset = "cov:yungang/gov/tax/levy/income"
purpose = "mortgage-review"
modes = ["match", "detail"]
fields = ["income_fen"]
valid_from_ms = 1
valid_until_ms = 2
data_life_days = 90
max_rows = 1
[quota]
limit = 10
window_ms = 86400000
"#;

    #[test]
    fn the_consumer_signs_what_the_ledger_will_check() {
        let dir = tempfile::tempdir().unwrap();
        let (draft, out) = (dir.path().join("grant.toml"), dir.path().join("signed.json"));
        std::fs::write(&draft, DRAFT).unwrap();
        let bank = Identity::generate(MemberId::new("bank").unwrap(), SuiteId::Sm);
        sign(&bank, &draft, &out).unwrap();
        let signed: SignedGrant = files::read_value(&out, "a signed grant").unwrap();
        let digest = Digest::of(SuiteId::Sm, Label::GRANT, &to_bytes(&signed.grant));
        let signature = signed.consumer_signature.parse().unwrap();
        let key = bank.signing.verifying_key().prepare().unwrap();
        key.verify(Label::GRANT, digest.as_bytes(), &signature).unwrap();
        let tax = Identity::generate(MemberId::new("tax").unwrap(), SuiteId::Sm);
        let error = sign(&tax, &draft, &dir.path().join("other.json")).unwrap_err().to_string();
        assert!(error.contains("`bank`") && error.contains("`tax`"), "{error}");
    }

    #[test]
    fn a_draft_with_a_word_too_many_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let draft = dir.path().join("grant.toml");
        std::fs::write(&draft, format!("quotas = 1\n{DRAFT}")).unwrap();
        let error = read_draft(&draft).unwrap_err().to_string();
        assert!(error.contains("grant.toml") && error.contains("quotas"), "{error}");
    }
}
