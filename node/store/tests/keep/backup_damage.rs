//! Backups that are not what was written.

use covenant_store::{FileError, FrameReader, FrameWriter, Store, StoreError};
use sea_orm::{ConnectionTrait, Database};

use crate::backup::{dump, load};
use crate::support::{Site, sites, sqlite};
use crate::{chain, commit_all, fill};

const MAGIC: &str = "covenant-backup\n";

/// Loads into a database that was empty, and demands that it is afterwards.
async fn refused(site: &Site, backup: &[u8]) -> FileError {
    let error = load(&site.url, backup).await.unwrap_err();
    let StoreError::File(error) = error else { panic!("{error}") };
    error
}

fn offset(error: &FileError) -> Option<u64> {
    match error {
        FileError::Truncated { offset }
        | FileError::Damaged { offset, .. }
        | FileError::Digest { offset }
        | FileError::Trailing { offset } => Some(*offset),
        _ => None,
    }
}

/// A backup of a few hundred bytes.
async fn small() -> Vec<u8> {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let mut chain = chain(&[0, 0]);
    chain.iter_mut().for_each(|c| (c.bytes, c.certificate) = (vec![1; 5], vec![2; 5]));
    commit_all(&store, &chain).await;
    store.set_mark("a mark", b"x").await.unwrap();
    dump(&store).await.0
}

#[tokio::test]
async fn a_backup_cut_at_any_byte_leaves_nothing() {
    let (site, backup) = (sqlite(), small().await);
    for cut in 0..backup.len() {
        let error = refused(&site, &backup[..cut]).await;
        assert!(matches!(error, FileError::Truncated { offset } if offset == cut as u64), "{cut}: {error}");
    }
    assert_eq!(load(&site.url, &backup).await.unwrap().tip().await.unwrap().unwrap().height, 2);
}

#[tokio::test]
async fn a_backup_with_any_byte_changed_leaves_nothing() {
    let (site, backup) = (sqlite(), small().await);
    for at in 0..backup.len() {
        let mut broken = backup.clone();
        broken[at] ^= 1 << (at % 8);
        let error = refused(&site, &broken).await;
        let told = offset(&error);
        assert!(told.is_some() || (at < 16 && matches!(error, FileError::Magic { .. })), "{at}: {error}");
    }
    assert_eq!(load(&site.url, &backup).await.unwrap().tip().await.unwrap().unwrap().height, 2);
}

#[tokio::test]
async fn half_a_large_backup_leaves_nothing_on_either_database() {
    let source = Store::open("sqlite::memory:").await.unwrap();
    fill(&source, &[300, 900]).await;
    let (backup, _) = dump(&source).await;
    for site in sites("half_a_large_backup_leaves_nothing_on_either_database") {
        for part in [3, 5, 9] {
            let cut = backup.len() * part / 10;
            let error = refused(&site, &backup[..cut]).await;
            assert!(matches!(error, FileError::Truncated { .. }), "{error}");
            let mut broken = backup.clone();
            broken[cut] ^= 1;
            let error = refused(&site, &broken).await;
            assert!(offset(&error).is_some_and(|at| at <= cut as u64), "{error}");
        }
        assert_eq!(Store::open(&site.url).await.unwrap().tip().await.unwrap(), None);
        assert!(load(&site.url, &backup).await.is_ok());
    }
}

/// Frames of a backup, changed and put together again with a right trailer.
fn forge(backup: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut reader = FrameReader::new(backup, MAGIC).unwrap();
    let mut frames = Vec::new();
    while let Ok(frame) = reader.frame() {
        frames.push(frame.payload);
    }
    let trailer = frames.pop().unwrap();
    change(&mut frames);
    let mut writer = FrameWriter::new(Vec::new(), MAGIC).unwrap();
    for frame in &frames {
        writer.frame(frame).unwrap();
    }
    let trailed = |digest: &covenant_canon::Digest| [&trailer[..trailer.len() - 32], &digest.0].concat();
    writer.finish(trailed, &[]).unwrap().0
}

#[tokio::test]
async fn each_kind_of_damage_has_its_name() {
    let (site, backup) = (sqlite(), small().await);
    assert_eq!(forge(&backup, |_| {}), backup);
    let error = refused(&site, b"covenant-archive\nand more").await;
    assert!(matches!(error, FileError::Magic { magic: MAGIC }), "{error}");
    let error = refused(&site, &forge(&backup, |frames| frames[0][1] = 2)).await;
    assert!(matches!(error, FileError::Version { found: 2, known: 1 }), "{error}");
    let error = refused(&site, &[&backup[..], b"\n"].concat()).await;
    assert!(matches!(error, FileError::Trailing { offset } if offset == backup.len() as u64), "{error}");

    // Whole frames, but not those that were written.
    let mut swapped = FrameWriter::new(Vec::new(), MAGIC).unwrap();
    let mut reader = FrameReader::new(&backup[..], MAGIC).unwrap();
    let mut frames: Vec<_> = std::iter::from_fn(|| reader.frame().ok()).map(|f| f.payload).collect();
    let trailer = frames.pop().unwrap();
    frames.swap(1, 2);
    for frame in &frames {
        swapped.frame(frame).unwrap();
    }
    let swapped = swapped.finish(|_| trailer, &[]).unwrap().0;
    let error = refused(&site, &swapped).await;
    assert!(matches!(error, FileError::Digest { .. }), "{error}");

    let error = refused(&site, &forge(&backup, |frames| drop(frames.remove(1)))).await;
    assert!(matches!(&error, FileError::Damaged { detail, .. } if detail.contains("counts")), "{error}");
    let name = forge(&backup, |frames| frames[1][2] = b'g');
    let error = refused(&site, &name).await;
    assert!(matches!(&error, FileError::Damaged { detail, .. } if detail.contains("`glocks`")), "{error}");
    // The row's own checksum speaks, although all that is around it is right.
    let row = forge(&backup, |frames| *frames[1].last_mut().unwrap() ^= 1);
    let error = refused(&site, &row).await;
    assert!(matches!(&error, FileError::Damaged { detail, .. } if detail.contains("`blocks`")), "{error}");
}

#[tokio::test]
async fn a_damaged_row_is_told_while_backing_up() {
    for site in sites("a_damaged_row_is_told_while_backing_up") {
        let store = Store::open(&site.url).await.unwrap();
        commit_all(&store, &chain(&[600])).await;
        store.close().await;
        let db = Database::connect(&site.url).await.unwrap();
        db.execute_unprepared("UPDATE entries SET position = position + 1 WHERE leaf = 590").await.unwrap();
        db.close().await.unwrap();
        let store = Store::open(&site.url).await.unwrap();
        let error = store.dump(Vec::new(), |_| {}).await.unwrap_err();
        assert!(matches!(&error, StoreError::Corrupted { detail, .. } if detail.contains("`entries`")), "{error}");
    }
}

/// A disk that is full after so many bytes.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_backup_that_cannot_be_written_is_told() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    commit_all(&store, &chain(&[600])).await;
    let error = store.dump(Full(20_000), |_| {}).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, StoreError::File(FileError::Io { .. })), "{error}");
    assert!(store.commit(&chain(&[600, 1])[1]).await.unwrap());
}
