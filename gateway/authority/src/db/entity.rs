//! Rows. What names somebody is sealed or a keyed digest (see [`crate::vault`]); everything else is on the ledger too or
//! tells nothing of a person.

/// A consumer's request and what became of it.
pub(crate) mod request {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "requests")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        /// Digest of the signed terms, hex: the same request has the same row.
        pub id: String,
        pub consumer: String,
        /// Keyed digest of the subject.
        pub person: Vec<u8>,
        /// The subject, sealed.
        pub subject: Vec<u8>,
        /// Canonical signed terms.
        pub terms: Vec<u8>,
        pub state: String,
        pub created_ms: i64,
        pub decided_ms: Option<i64>,
        pub consent: Option<String>,
        /// The consumer's ticket, JSON; its opening is sealed to the consumer.
        pub ticket: Option<Vec<u8>>,
        pub leaf: Option<i64>,
        pub height: Option<i64>,
        pub representation: Option<String>,
        /// Opening and salt behind the consent's `representative`, sealed.
        pub spoken: Option<Vec<u8>>,
        /// Until when the subject is not told; 0 when it is told at once.
        pub sealed_until_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who may speak for whom.
pub(crate) mod representation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "representations")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        /// Keyed digest of the subject.
        pub person: Vec<u8>,
        /// Keyed digest of who speaks.
        pub speaker: Vec<u8>,
        pub capacity: String,
        /// Digest of the evidence, sealed.
        pub evidence: Vec<u8>,
        /// Purpose codes, JSON; empty for all.
        pub purposes: String,
        pub valid_from_ms: i64,
        pub valid_until_ms: i64,
        pub revoked_ms: Option<i64>,
        pub created_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody who is logged in.
pub(crate) mod session {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub(crate) struct Model {
        /// Keyed digest of the session's id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        /// Who it is, sealed.
        pub subject: Vec<u8>,
        pub expires_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A login under way at the identity provider.
pub(crate) mod login {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "logins")]
    pub(crate) struct Model {
        /// Keyed digest of the state.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        /// Nonce and PKCE verifier, sealed.
        pub secrets: Vec<u8>,
        pub expires_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The data key, sealed to the service's own key.
pub(crate) mod vault {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "vault")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i16,
        pub wrapped: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
