//! The client: connection, trust root, catalogue.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use covenant_api::{ConsentStatusView, Consortium, GrantStatusView, HealthReport, PlanRequest, PlanResponse, Tip};
use covenant_canon::{Digest, Label};
use covenant_domain::{Ceremony, ConsentId, Dataset, DatasetId, Member, MemberId, Purpose};
use covenant_ledger::{Genesis, Membership, Trust};
use covenant_sigma::threshold::GroupKey;
use covenant_suite::Opener;
use parking_lot::RwLock;

use crate::grpc::Grpc;
use crate::link::{Link, Signer};
use crate::lookup::Epochs;
use crate::lookup::checked_group;
use crate::rest::Rest;
use crate::socket::Socket;
use crate::{ClientConfig, ClientError, Identity, Transport};

/// Attempts at a call that fails for a passing reason.
const ATTEMPTS: u32 = 4;

/// A member's connection to a gateway. Cheap to clone; shared between tasks.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) identity: Arc<Identity>,
    pub(crate) trust: Genesis,
    pub(crate) consortium: Digest,
    /// Rosters, followed from the trust root.
    pub(crate) circle: Arc<RwLock<Trust>>,
    pub(crate) opener: Opener,
    pub(crate) config: ClientConfig,
    pub(crate) link: Box<dyn Link>,
    pub(crate) epochs: Epochs,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({} at {})", self.0.identity.member, self.0.consortium.short())
    }
}

impl Client {
    /// Connects over REST to a gateway such as `http://127.0.0.1:8600` and checks that it serves the consortium of the
    /// trust root.
    ///
    /// # Errors
    /// [`ClientError`] when the trust root does not hold, the identity is not in it, or the gateway is another's.
    pub async fn connect(base_url: &str, identity: Arc<Identity>, trust: Genesis) -> Result<Self, ClientError> {
        Self::connect_with(base_url, identity, trust, ClientConfig::default()).await
    }

    /// As [`Client::connect`], with times and transport of one's own.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn connect_with(
        base_url: &str,
        identity: Arc<Identity>,
        trust: Genesis,
        config: ClientConfig,
    ) -> Result<Self, ClientError> {
        let base = checked_base(base_url)?;
        let mut circle = Trust::new(&trust).map_err(|e| ClientError::TrustRoot(Arc::new(e)))?;
        circle.follow(&config.handovers).map_err(|e| ClientError::Handover(Arc::new(e)))?;
        let circle = Arc::new(RwLock::new(circle));
        let consortium = trust.digest();
        let signer = Signer { identity: Arc::clone(&identity), consortium };
        let secure = base.starts_with("https://");
        let socket = |protocol: &[u8]| Socket::new(secure, &trust, circle.clone(), protocol, config.connect_timeout);
        let link: Box<dyn Link> = match config.transport {
            Transport::Rest => Box::new(Rest::new(base, &config, signer, socket(b"http/1.1")?)),
            Transport::Grpc => Box::new(Grpc::new(base, &config, signer, socket(b"h2")?)?),
        };
        let opener = Opener::new(Arc::clone(&identity.opening), Label::SEAL_ANSWER);
        let client = Self(Arc::new(Inner {
            identity,
            trust,
            consortium,
            circle,
            opener,
            config,
            link,
            epochs: Epochs::default(),
        }));
        client.follow().await?;
        check_member(&client.0.identity, &client.membership())?;
        Ok(client)
    }

    /// Follows the consortium's members to their newest roster that the gateway shows. What it shows is verified from the
    /// trust root on; that it shows the newest is not.
    ///
    /// # Errors
    /// [`ClientError::OtherConsortium`], [`ClientError::Handover`], or that the gateway does not answer.
    pub async fn follow(&self) -> Result<(), ClientError> {
        let (expected, served) = (self.0.consortium, self.consortium().await?);
        if served.digest != expected {
            return Err(ClientError::OtherConsortium { expected, found: served.digest });
        }
        let followed = self.0.circle.write().follow(&served.handovers);
        followed.map_err(|e| ClientError::Handover(Arc::new(e)))
    }

    /// The members as this client knows them.
    pub fn membership(&self) -> Arc<Membership> {
        self.0.circle.read().latest().clone()
    }

    /// The group key of a ceremony, by the keys that its trustees had while it was made.
    pub(crate) fn checked_group(&self, ceremony: &Ceremony) -> Result<GroupKey, ClientError> {
        let circle = self.0.circle.read().clone();
        let mut memberships = circle.memberships().rev();
        let newest = memberships.next().unwrap_or_else(|| circle.latest());
        let check = |of: &Membership| checked_group(ceremony, &self.0.trust, &self.0.consortium, of.all_keys());
        check(newest).or_else(|fault| memberships.find_map(|of| check(of).ok()).ok_or(fault))
    }

    /// The member this client acts for.
    pub fn member(&self) -> &MemberId {
        &self.0.identity.member
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// The trust root.
    pub fn trust(&self) -> &Genesis {
        &self.0.trust
    }

    /// What the gateway says its consortium is; the digest is computed here, not believed.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn consortium(&self) -> Result<Consortium, ClientError> {
        let served = self.again(|| self.0.link.consortium()).await?;
        Ok(Consortium { digest: served.genesis.digest(), ..served })
    }

    /// Health of the nodes.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `unhealthy` when none is sound.
    pub async fn health(&self) -> Result<HealthReport, ClientError> {
        self.0.link.health().await
    }

    /// The newest block.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn tip(&self) -> Result<Tip, ClientError> {
        self.again(|| self.0.link.tip()).await
    }

    /// All members.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn members(&self) -> Result<Vec<Member>, ClientError> {
        self.again(|| self.0.link.members()).await
    }

    /// All purposes.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn purposes(&self) -> Result<Vec<Purpose>, ClientError> {
        self.again(|| self.0.link.purposes()).await
    }

    /// All datasets in force.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn datasets(&self) -> Result<Vec<Dataset>, ClientError> {
        self.again(|| self.0.link.datasets()).await
    }

    /// One dataset.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `dataset-unknown`.
    pub async fn dataset(&self, id: &DatasetId) -> Result<Dataset, ClientError> {
        self.again(|| self.0.link.dataset(id)).await
    }

    /// Grants of which this member is a party.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn grants(&self) -> Result<Vec<GrantStatusView>, ClientError> {
        self.again(|| self.0.link.grants()).await
    }

    /// One consent with its status.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `consent-unknown` or `not-a-party`.
    pub async fn consent(&self, id: &ConsentId) -> Result<ConsentStatusView, ClientError> {
        self.again(|| self.0.link.consent(id)).await
    }

    /// The least revealing mode that would be permitted now.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn plan(&self, request: &PlanRequest) -> Result<PlanResponse, ClientError> {
        self.again(|| self.0.link.plan(request.clone())).await
    }

    /// Repeats a harmless call that fails for a passing reason.
    pub(crate) async fn again<T, F: Future<Output = Result<T, ClientError>>>(
        &self,
        call: impl Fn() -> F,
    ) -> Result<T, ClientError> {
        let mut attempt = 1;
        loop {
            match call().await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS => pause(&error, attempt).await,
                done => return done,
            }
            attempt += 1;
        }
    }
}

/// Waits as long as the gateway asks, at most five seconds, or a little longer each time.
pub(crate) async fn pause(error: &ClientError, attempt: u32) {
    let asked = match error {
        ClientError::Problem(problem) => problem.retry_after_s.map(|s| Duration::from_secs(u64::from(s.min(5)))),
        _ => None,
    };
    tracing::debug!(%error, attempt, "trying again");
    tokio::time::sleep(asked.unwrap_or(Duration::from_millis(100 << attempt.min(5)))).await;
}

fn checked_base(base_url: &str) -> Result<&str, ClientError> {
    let base = base_url.trim_end_matches('/');
    let wrong = |reason| ClientError::Address { base: base_url.to_owned(), reason };
    let rest = match base.split_once("://") {
        Some(("http" | "https", rest)) => rest,
        _ => return Err(wrong("expected `https://host:port`, or `http://` on this machine")),
    };
    // The signature covers the path as the gateway sees it, so there is no room for a prefix.
    if rest.is_empty() || rest.contains('/') {
        Err(wrong("expected `https://host:port` without a path"))
    } else {
        Ok(base)
    }
}

fn check_member(identity: &Identity, membership: &Membership) -> Result<(), ClientError> {
    let same = membership.keys(&identity.member).is_some_and(|k| {
        k.verifying.verifying_key() == identity.signing.verifying_key() && &k.sealing == identity.opening.sealing_key()
    });
    if same { Ok(()) } else { Err(ClientError::NotMember { member: identity.member.clone() }) }
}
