//! Record models: what an electronic licence, a business licence, a real-estate right, a credit record, a tax summary and
//! a provident-fund summary hold, after the standards and practice of the departments that keep them.
//!
//! A [`Model`] makes the dataset description that a holder publishes, and checks records before they are imported:
//! identifiers, code lists, ranges, shares that add up, dates in order. A fault names the field and the rule, never the
//! value.
//!
//! It is not a schema language: models are data of this crate, and a dataset that follows none is just as good.
#![deny(missing_docs)]

mod business;
mod check;
mod codes;
mod credit;
mod identifier;
mod licence;
mod model;
mod provident;
mod real_estate;
mod tax;
#[cfg(test)]
mod tests;

pub use check::Fault;
pub use codes::{
    BLACKLIST_TYPES, BUSINESS_STATUS, CodeEntry, CodeList, FIVE_CLASSES, HOLDER_KINDS, LICENCE_STATUS, RIGHT_KINDS,
};
pub use identifier::{IdentifierFault, LicenceIdentifier};
pub use model::{Cross, Model, ModelField, Rule};

/// All shipped models, in the order of their codes.
pub const MODELS: [&Model; 6] = [
    &business::BUSINESS_LICENCE,
    &credit::CREDIT_RECORD,
    &licence::ELECTRONIC_LICENCE,
    &provident::PROVIDENT_FUND,
    &real_estate::REAL_ESTATE_RIGHT,
    &tax::TAX_SUMMARY,
];

/// The model of a code such as `credit-record`, or of a code with its version such as `credit-record/1`.
pub fn model(code: &str) -> Option<&'static Model> {
    MODELS.into_iter().find(|m| m.code == code || m.reference() == code)
}
