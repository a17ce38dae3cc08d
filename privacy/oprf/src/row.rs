//! Rows: what a dataset's matrix holds, sealed under the outputs of its epoch key.
//!
//! ```text
//! tag ‖ key = HKDF(y, info = label ‖ len4(dataset) ‖ dataset ‖ epoch)      16 and 32 bytes
//! row       = AEAD(key, aad, len4(record) ‖ record ‖ 0…0)                  width + 20 bytes, whatever the record
//! ```
//!
//! All rows of a dataset have one length. A row that does not open is "no record", with no reason.

use covenant_canon::{Label, SuiteId};
use covenant_sigma::Context;
use covenant_suite::{MAX_CIPHERTEXT, SharedSecret, derive, suite};
use zeroize::{Zeroize, Zeroizing};

use crate::{OprfError, Output};

/// What sealing adds to the width of a row: its length field and the tag of the cipher, in bytes.
pub const ROW_OVERHEAD: usize = LENGTH_FIELD + 16;

/// Widest row, in bytes.
pub const MAX_ROW_WIDTH: usize = MAX_CIPHERTEXT - ROW_OVERHEAD;

const LENGTH_FIELD: usize = 4;

/// Where the row of an output is found: pseudorandom, so a table of tags tells nothing about subjects.
pub type Tag = [u8; 16];

/// Seals the one row of one subject, or opens it.
#[derive(Debug, PartialEq, Eq)]
pub struct RowKey(SharedSecret);

/// Dataset and epoch that a row belongs to, authenticated with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowContext(Vec<u8>);

impl RowContext {
    /// `len4(dataset) ‖ dataset ‖ epoch`, big-endian.
    pub fn new(dataset: &str, epoch: u32) -> Self {
        let length = u32::try_from(dataset.len()).unwrap_or(u32::MAX);
        Self([&length.to_be_bytes(), dataset.as_bytes(), &epoch.to_be_bytes()].concat())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&Context> for RowContext {
    fn from(context: &Context) -> Self {
        Self::new(&context.dataset, context.epoch)
    }
}

/// Derives tags and row keys.
pub struct RowSecret;

impl RowSecret {
    /// The tag and key of the row of an output.
    ///
    /// # Errors
    /// [`OprfError::NoRecord`] never happens with the lengths used here.
    pub fn derive(id: SuiteId, output: &Output, context: &RowContext) -> Result<(Tag, RowKey), OprfError> {
        let mut okm = Zeroizing::new([0; 48]);
        derive(id, Label::ROW_SECRET, output.as_bytes(), context.as_bytes(), okm.as_mut_slice())
            .map_err(|_| OprfError::NoRecord)?;
        let (tag, key) = okm.split_first_chunk::<16>().ok_or(OprfError::NoRecord)?;
        let key = Zeroizing::new(<[u8; 32]>::try_from(key).map_err(|_| OprfError::NoRecord)?);
        Ok((*tag, RowKey(SharedSecret::from_derived(id, Label::SEAL_ROW, &key))))
    }
}

/// Seals a record into a row of `width + ROW_OVERHEAD` bytes. INVARIANT a key seals one row: it is consumed.
///
/// # Errors
/// [`OprfError::TooWide`] for a record longer than the width, [`OprfError::Width`] for a width of zero or above
/// [`MAX_ROW_WIDTH`].
pub fn seal_row(key: RowKey, context: &RowContext, record: &[u8], width: usize) -> Result<Vec<u8>, OprfError> {
    let refused = OprfError::Width { width, limit: MAX_ROW_WIDTH };
    if width == 0 || width > MAX_ROW_WIDTH {
        return Err(refused);
    }
    if record.len() > width {
        return Err(OprfError::TooWide { length: record.len(), width });
    }
    let mut padded = Zeroizing::new(Vec::with_capacity(LENGTH_FIELD + width));
    padded.extend_from_slice(&u32::try_from(record.len()).map_err(|_| refused)?.to_be_bytes());
    padded.extend_from_slice(record);
    padded.resize(LENGTH_FIELD + width, 0);
    suite(key.0.suite()).seal_with(&key.0, &[], context.as_bytes(), &padded).map_err(|_| refused)
}

/// Opens a row.
///
/// # Errors
/// [`OprfError::NoRecord`], whatever is wrong.
pub fn open_row(key: &RowKey, context: &RowContext, row: &[u8]) -> Result<Zeroizing<Vec<u8>>, OprfError> {
    let mut padded =
        suite(key.0.suite()).open_with(&key.0, &[], context.as_bytes(), row).map_err(|_| OprfError::NoRecord)?;
    let (length, rest) = padded.split_first_chunk::<LENGTH_FIELD>().ok_or(OprfError::NoRecord)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| OprfError::NoRecord)?;
    let (record, padding) = rest.split_at_checked(length).ok_or(OprfError::NoRecord)?;
    // A holder that writes into the padding could mark a row.
    if padding.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(OprfError::NoRecord);
    }
    let record = Zeroizing::new(record.to_vec());
    padded.zeroize();
    Ok(record)
}
