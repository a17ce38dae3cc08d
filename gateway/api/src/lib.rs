//! Public data transfer objects, OpenAPI and problem documents
