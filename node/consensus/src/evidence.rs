//! The engine's observations of misbehaviour as statements that anyone can check.

use arc_malachitebft_app_channel::app::types::MisbehaviorEvidence;

use crate::app::{Evidence, Statement};
use crate::context::{Context, Seal};
use crate::signing::Signing;

fn statement(message: Option<Vec<u8>>, seal: &Seal) -> Option<Statement> {
    Some(Statement { message: message?, signature: seal.as_bytes().to_vec() })
}

/// The pairs of contradicting votes and proposals, in the order of the validators' ids.
pub(crate) fn gather(signing: &Signing, observed: &MisbehaviorEvidence<Context>) -> Vec<Evidence> {
    let votes = observed.votes.iter().flat_map(|(who, pairs)| pairs.iter().map(move |pair| (who, pair)));
    let votes = votes.filter_map(|(who, (first, second))| {
        Some(Evidence {
            validator: who.0.clone(),
            height: first.message.height.0,
            first: statement(signing.vote_message(&first.message), &first.signature)?,
            second: statement(signing.vote_message(&second.message), &second.signature)?,
        })
    });
    let offers = observed.proposals.iter().flat_map(|(who, pairs)| pairs.iter().map(move |pair| (who, pair)));
    let offers = offers.filter_map(|(who, (first, second))| {
        Some(Evidence {
            validator: who.0.clone(),
            height: first.message.height.0,
            first: statement(signing.offer_message(&first.message), &first.signature)?,
            second: statement(signing.offer_message(&second.message), &second.signature)?,
        })
    });
    votes.chain(offers).collect()
}
