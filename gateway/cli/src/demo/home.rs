//! The demo's folder.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::CliError;
use crate::files;

/// A folder that was named, or one that is removed at the end.
#[derive(Debug)]
pub(crate) enum Home {
    /// Stays.
    Kept(PathBuf),
    /// Goes.
    Temporary(TempDir),
}

impl Home {
    /// Opens the folder, with its full path: it is printed in commands that may be typed elsewhere.
    pub(crate) fn open(dir: Option<&Path>) -> Result<Self, CliError> {
        let Some(dir) = dir else {
            let made = tempfile::Builder::new().prefix("covenant-demo-").tempdir();
            let path = std::env::temp_dir();
            return made.map(Self::Temporary).map_err(|source| CliError::File {
                action: "make a folder in",
                path,
                source,
            });
        };
        files::make_dir(dir)?;
        let full = dir.canonicalize();
        full.map(Self::Kept).map_err(|source| CliError::File { action: "open", path: dir.to_owned(), source })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(dir) => dir.path(),
        }
    }

    /// Whether it goes at the end.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary(_))
    }
}
