//! The signing keys a node has. Which of them counts at a height, the ledger says.

use std::sync::Arc;

use covenant_domain::MemberId;
use covenant_ledger::Membership;
use covenant_suite::SigningKey;
use parking_lot::RwLock;

/// Looks for keys that were put in place since the node started.
pub type KeySearch = Arc<dyn Fn() -> Vec<SigningKey> + Send + Sync>;

/// A member's signing keys: the one in force, and one to come while it is rotated.
pub struct Keyring {
    member: MemberId,
    keys: RwLock<Vec<Arc<SigningKey>>>,
    search: Option<KeySearch>,
}

impl Keyring {
    /// One key.
    pub fn of(member: MemberId, key: SigningKey) -> Self {
        Self { member, keys: RwLock::new(vec![Arc::new(key)]), search: None }
    }

    /// These keys, and those that are found when the ledger names one that is not among them.
    pub fn searching(member: MemberId, keys: Vec<SigningKey>, search: KeySearch) -> Self {
        let keys = RwLock::new(keys.into_iter().map(Arc::new).collect());
        Self { member, keys, search: Some(search) }
    }

    /// Whose keys they are.
    pub fn member(&self) -> &MemberId {
        &self.member
    }

    /// The verification keys of all, in text form.
    pub fn names(&self) -> Vec<String> {
        self.keys.read().iter().map(|key| key.verifying_key().to_string()).collect()
    }

    /// The key that a roster names; none when the node does not have it, or the member's signature does not count.
    pub fn key_of(&self, membership: &Membership) -> Option<Arc<SigningKey>> {
        let wanted = &membership.member(&self.member)?.verifying_key;
        let find = || self.keys.read().iter().find(|key| &key.verifying_key().to_string() == wanted).cloned();
        find().or_else(|| {
            let found = self.search.as_ref()?();
            let mut keys = self.keys.write();
            let known = |key: &SigningKey| {
                keys.iter().any(|k| k.verifying_key().to_string() == key.verifying_key().to_string())
            };
            let new: Vec<_> = found.into_iter().filter(|key| !known(key)).map(Arc::new).collect();
            keys.extend(new);
            drop(keys);
            find()
        })
    }
}
