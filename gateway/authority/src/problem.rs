//! What the service refuses, with stable codes beside those of the gateway.

use covenant_api::{Code, Problem};

macro_rules! codes {
    ($($variant:ident = $text:literal, $status:literal, $title:literal;)*) => {
        /// Stable code of a refusal of this service. Codes are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Trouble {
            $(#[doc = $title] $variant,)*
        }

        impl Trouble {
            /// Every code, in the order of the register.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as it is served.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What it means.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    TermsInvalid = "terms-invalid", 400, "the terms do not hold";
    SubjectUnreadable = "subject-unreadable", 400, "the sealed subject cannot be read";
    OtherService = "other-service", 400, "the request was signed for another service or consortium";
    LoginMissing = "login-missing", 401, "nobody is logged in";
    TokenInvalid = "token-invalid", 401, "the identity token does not hold";
    SessionExpired = "session-expired", 401, "the session has ended";
    LoginStateInvalid = "login-state-invalid", 401, "the login was not begun here, or was finished before";
    CsrfMissing = "csrf-missing", 403, "the request lacks the session's own token";
    NotAuthoriser = "not-authoriser", 403, "only the service's own operators may do this";
    NotConsumer = "not-consumer", 403, "the member may not ask for consents";
    PersonUnknown = "person-unknown", 403, "the identity provider names no person or company";
    NeedsConsent = "needs-consent", 403, "the purpose demands the subject's own consent";
    MinorNeedsGuardian = "minor-needs-guardian", 403, "a guardian must decide for a minor";
    RepresentationRefused = "representation-refused", 403, "the representation does not cover this";
    RequestUnknown = "consent-request-unknown", 404, "no such request is the caller's";
    ConsentNotYours = "consent-not-yours", 404, "no such consent is the caller's";
    RepresentationUnknown = "representation-unknown", 404, "no such representation is registered";
    NoticeUnknown = "notice-unknown", 404, "the purpose has no notice text here";
    RequestDecided = "request-decided", 409, "the request was decided before";
    RequestExpired = "request-expired", 409, "the request has expired";
    NotRevocable = "not-revocable", 409, "the authority rests on law and cannot be changed by its subject";
    NoticeChanged = "notice-changed", 409, "the notice text has changed meanwhile";
    NoticeStale = "notice-stale", 409, "the service's notice text is not the one on the ledger";
    TermsChanged = "terms-changed", 409, "the terms shown are not the terms of the request";
    RepresentationInvalid = "representation-invalid", 422, "the representation cannot be registered";
    LedgerRefused = "ledger-refused", 422, "the ledger refused the consent";
    LedgerUnavailable = "ledger-unavailable", 503, "the ledger cannot be reached";
    ProviderUnavailable = "provider-unavailable", 503, "the identity provider cannot be reached";
}

/// A problem of this service.
pub(crate) fn trouble(code: Trouble, detail: impl Into<String>) -> Problem {
    Problem::other(code.as_str(), code.status(), code.title(), detail)
}

/// A failure of the service itself: the log knows more than the caller.
pub(crate) fn internal(step: &'static str, error: impl std::fmt::Display) -> Problem {
    tracing::error!(step, %error, "the service failed");
    Problem::new(Code::Internal, format!("the service failed to {step}: its log says why"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_from_one_another_and_from_the_gateways() {
        let mut seen: std::collections::BTreeSet<&str> = Code::ALL.iter().map(|c| c.as_str()).collect();
        for code in Trouble::ALL {
            assert!(seen.insert(code.as_str()), "{} twice", code.as_str());
            assert!((400..600).contains(&code.status()));
        }
    }
}
