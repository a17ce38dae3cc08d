//! Whether an escrow key is the trustees'.

use std::collections::BTreeMap;

use covenant_canon::{Digest, Label};
use covenant_domain::{Ceremony, CeremonyStatus, MemberId, Role, attested};
use covenant_ledger::{Genesis, MemberKeys};
use covenant_sigma::EscrowKey;
use covenant_sigma::threshold::GroupKey;
use covenant_suite::Signature;

use crate::ClientError;

/// Checks a ceremony's key against the trust root: every trustee of the ceremony is one in the genesis, and all have signed
/// this key. A gateway that names a key of its own would otherwise learn every subject.
///
/// # Errors
/// [`ClientError::Escrow`] with what does not hold.
pub(crate) fn checked_group(
    ceremony: &Ceremony,
    trust: &Genesis,
    consortium: &Digest,
    keys: &BTreeMap<MemberId, MemberKeys>,
) -> Result<GroupKey, ClientError> {
    let number = ceremony.call.number;
    let wrong = |reason: String| ClientError::Escrow { ceremony: number, reason };
    let (Some(group), Some(key)) = (&ceremony.group, &ceremony.key) else {
        return Err(wrong("it has no key".into()));
    };
    let trustees = &ceremony.call.trustees;
    let distinct = trustees.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    let enough = trustees.len() >= 2 && usize::from(ceremony.call.threshold) * 2 > trustees.len();
    if ceremony.status != CeremonyStatus::Finished || !distinct || !enough {
        return Err(wrong("it is not finished, or its trustees are too few".into()));
    }
    if ceremony.contributions.len() != trustees.len() {
        return Err(wrong("contributions and trustees do not belong together".into()));
    }
    let digest = attested(trust.suite, consortium, number, group, key);
    for (trustee, contribution) in trustees.iter().zip(&ceremony.contributions) {
        if !trust.member(trustee).is_some_and(|m| m.has(Role::Trustee)) {
            return Err(wrong(format!("`{trustee}` is no trustee in the trust root")));
        }
        let signature = contribution.attestation.as_ref().and_then(|text| text.parse::<Signature>().ok());
        let verified = signature.zip(keys.get(trustee)).is_some_and(|(signature, keys)| {
            keys.verifying.verify(Label::ESCROW_GROUP, digest.as_bytes(), &signature).is_ok()
        });
        if !verified {
            return Err(wrong(format!("`{trustee}` has not signed this key")));
        }
    }
    let group = GroupKey::from_bytes(&group.0).map_err(|_| wrong("its public key cannot be read".into()))?;
    let escrow = EscrowKey::from_bytes(&key.0).map_err(|_| wrong("its key is no valid point".into()))?;
    if group.escrow_key() != &escrow {
        return Err(wrong("its key is not that of its verifying shares".into()));
    }
    Ok(group)
}
