//! Configs of rustls. All speak TLS 1.3 only, resume nothing, take no early data and log no keys.

use std::sync::Arc;

use covenant_domain::MemberId;
use rustls::client::Resumption;
use rustls::pki_types::UnixTime;
use rustls::server::{NoServerSessionStorage, WantsServerCert};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, CommonState, ConfigBuilder, ServerConfig};

use crate::rotating::{Identity, Rotating};
use crate::verifier::Peers;
use crate::{Directory, Profile, TlsError, inspect, provider};

/// The time that certificates are judged by.
pub trait Clock: Send + Sync {
    /// Unix time in milliseconds.
    fn now_ms(&self) -> u64;
}

impl<F: Fn() -> u64 + Send + Sync> Clock for F {
    fn now_ms(&self) -> u64 {
        self()
    }
}

/// A member's server for members: both sides show certificates.
///
/// # Errors
/// [`TlsError::WrongProfile`] for an identity of the other profile.
pub fn server_config(
    profile: Profile,
    identity: &dyn Identity,
    directory: Arc<dyn Directory>,
    clock: Arc<dyn Clock>,
    alpn: &[&[u8]],
) -> Result<Arc<ServerConfig>, TlsError> {
    let peers = Arc::new(Peers { profile, directory, expected: None });
    let builder = server_builder(profile, clock)?.with_client_cert_verifier(peers);
    finish_server(builder, in_profile(profile, identity)?, alpn)
}

/// A server for whoever comes: only the server shows a certificate. Callers are known by what they sign inside.
///
/// # Errors
/// As [`server_config`].
pub fn gateway_config(
    profile: Profile,
    identity: &dyn Identity,
    clock: Arc<dyn Clock>,
    alpn: &[&[u8]],
) -> Result<Arc<ServerConfig>, TlsError> {
    finish_server(server_builder(profile, clock)?.with_no_client_auth(), in_profile(profile, identity)?, alpn)
}

/// A client, with its certificate where the server asks for one. With `expected` the server must be that member; without,
/// any member whose certificate holds the name or address that is called.
///
/// # Errors
/// As [`server_config`].
pub fn client_config(
    profile: Profile,
    identity: Option<&dyn Identity>,
    directory: Arc<dyn Directory>,
    expected: Option<MemberId>,
    clock: Arc<dyn Clock>,
    alpn: &[&[u8]],
) -> Result<Arc<ClientConfig>, TlsError> {
    let peers = Arc::new(Peers { profile, directory, expected });
    let builder = ClientConfig::builder_with_details(provider(profile), Arc::new(Time(clock)))
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| TlsError::Connection(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(peers);
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(in_profile(profile, identity)?)),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = protocols(alpn);
    // INVARIANT the directory is asked at every connection: a resumed one would not show its certificate again.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The member at the other end of a connection, as the handshake verified it.
///
/// # Errors
/// [`TlsError::NoCertificate`] before the handshake's end, and for anonymous clients.
pub fn peer_member(connection: &CommonState) -> Result<MemberId, TlsError> {
    let shown = connection.peer_certificates().and_then(<[_]>::first).ok_or(TlsError::NoCertificate)?;
    if connection.is_handshaking() {
        return Err(TlsError::NoCertificate);
    }
    Ok(inspect(shown)?.member)
}

fn server_builder(
    profile: Profile,
    clock: Arc<dyn Clock>,
) -> Result<ConfigBuilder<ServerConfig, rustls::WantsVerifier>, TlsError> {
    ServerConfig::builder_with_details(provider(profile), Arc::new(Time(clock)))
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| TlsError::Connection(error.to_string()))
}

fn finish_server(
    builder: ConfigBuilder<ServerConfig, WantsServerCert>,
    identity: Rotating,
    alpn: &[&[u8]],
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = builder.with_cert_resolver(Arc::new(identity));
    config.alpn_protocols = protocols(alpn);
    // INVARIANT as in `client_config`.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn in_profile(profile: Profile, identity: &dyn Identity) -> Result<Rotating, TlsError> {
    let rotating = identity.rotating();
    let found = rotating.info().profile;
    if found == profile {
        Ok(rotating)
    } else {
        Err(TlsError::WrongProfile { what: "own certificate", expected: profile, found })
    }
}

fn protocols(alpn: &[&[u8]]) -> Vec<Vec<u8>> {
    alpn.iter().map(|name| name.to_vec()).collect()
}

struct Time(Arc<dyn Clock>);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_millis(self.0.now_ms())))
    }
}

impl std::fmt::Debug for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Time")
    }
}
