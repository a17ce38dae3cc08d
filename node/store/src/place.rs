//! Where the database is, as it may be shown.

use std::fmt;

/// A database url without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// Takes the password, and everything after a `?`, out of the url.
    pub(crate) fn of(url: &str) -> Self {
        let url = url.split('?').next().unwrap_or_default();
        let Some((scheme, rest)) = url.split_once("://") else { return Self(url.to_owned()) };
        let Some((who, host)) = rest.rsplit_once('@') else { return Self(url.to_owned()) };
        let user = who.split(':').next().unwrap_or_default();
        Self(format!("{scheme}://{user}@{host}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://node:s3c@ret@db:5432/node?password=s3cret", "postgres://node@db:5432/node"),
            ("postgres://node@db/node", "postgres://node@db/node"),
            ("postgres://db/node?user=a&password=s3cret", "postgres://db/node"),
            ("sqlite:///var/lib/node.db", "sqlite:///var/lib/node.db"),
            ("sqlite::memory:", "sqlite::memory:"),
        ] {
            assert_eq!(Place::of(url).to_string(), shown);
        }
    }
}
