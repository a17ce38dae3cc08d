//! Bodies that were moved to archives, and archives that are missing, damaged or another's.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use covenant_store::{Archive, ArchiveWriter, Body, FileError, HeaderError, Store, StoreError, Stripped};

use crate::support::{Site, sites, sqlite};
use crate::{Everything, chain, commit_all, everything, fill};

const HEIGHTS: [u64; 12] = [200; 12];

fn header_of(bytes: &[u8]) -> Result<Vec<u8>, HeaderError> {
    Ok(bytes[..40].to_vec())
}

/// A replica whose first eight blocks are archived and stripped, what it told before, and what was taken away.
async fn stripped(site: &Site, folder: &Path) -> (Store, Everything, Stripped) {
    let store = Store::open(&site.url).await.unwrap().with_archives(folder);
    fill(&store, &HEIGHTS).await;
    let before = everything(&store).await.unwrap();
    let mut heights = Vec::new();
    let path = store.archive_range(1..=8, folder, |height| heights.push(height)).await.unwrap();
    assert_eq!((path, heights), (folder.join("blocks-1-8.cova"), (1..=8).collect()));
    let done = store.strip(8, header_of).await.unwrap();
    (store, before, done)
}

#[tokio::test]
async fn a_stripped_replica_tells_the_same_with_its_archives() {
    for site in sites("a_stripped_replica_tells_the_same_with_its_archives") {
        let folder = tempfile::tempdir().unwrap();
        let (store, before, done) = stripped(&site, folder.path()).await;
        let (bodies, derived) = (8 * (200 + 200 * 300 - 40), 8 * 100 * 300);
        assert_eq!(done, Stripped { blocks: 8, bytes: bodies + derived });
        assert_eq!(store.strip(8, header_of).await.unwrap(), Stripped::default());
        assert_eq!(everything(&store).await.unwrap(), before);
        for entry in before.entries.iter().step_by(99) {
            assert_eq!(store.entry_by_digest(&entry.digest).await.unwrap().as_ref(), Some(entry));
            assert!(store.entries_about(&entry.about).await.unwrap().contains(entry));
        }
        let here = store.block_here(8).await.unwrap().unwrap();
        let whole = before.blocks[7].as_ref().unwrap();
        assert_eq!(
            (here.body, &here.bytes[..], &here.certificate),
            (Body::Header, &whole.bytes[..40], &whole.certificate)
        );
        assert_eq!(store.block_here(9).await.unwrap(), before.blocks[8]);
        assert!(store.commit(&chain(&[200; 13])[12]).await.unwrap());
        // A later archive may hold what is archived already.
        store.archive_range(5..=12, folder.path(), |_| {}).await.unwrap();
        assert_eq!(store.strip(12, header_of).await.unwrap().blocks, 4);
        assert_eq!(store.entries(0, 2400).await.unwrap(), before.entries);
    }
}

#[tokio::test]
async fn an_archive_is_read_block_by_block() {
    let (site, folder) = (sqlite(), tempfile::tempdir().unwrap());
    let (store, before, _) = stripped(&site, folder.path()).await;
    let archive = Archive::open(&folder.path().join("blocks-1-8.cova")).unwrap();
    assert_eq!(archive.heights(), 1..=8);
    for height in 1..=8 {
        let block = archive.block(height).unwrap().unwrap();
        assert_eq!(Some(&block), store.archived_block(height).await.unwrap().as_ref());
        assert_eq!(block.bytes, before.blocks[height as usize - 1].as_ref().unwrap().bytes);
        assert!(block.derived.len() == 100 && block.derived.is_sorted_by_key(|e| e.leaf));
    }
    assert!(archive.block(0).unwrap().is_none() && archive.block(9).unwrap().is_none());
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(names, ["blocks-1-8.cova"]);
}

#[tokio::test]
async fn the_room_comes_back() {
    let (site, folder) = (sqlite(), tempfile::tempdir().unwrap());
    let path = site.url.trim_start_matches("sqlite://").to_owned();
    let store = Store::open(&site.url).await.unwrap().with_archives(folder.path());
    fill(&store, &HEIGHTS).await;
    store.compact().await.unwrap();
    let (full, told) = (fs::metadata(&path).unwrap().len(), store.size().await.unwrap());
    assert_eq!((full, told.free), (told.total, 0));
    store.archive_range(1..=11, folder.path(), |_| {}).await.unwrap();
    let taken = store.strip(11, header_of).await.unwrap();
    assert!(store.size().await.unwrap().free > taken.bytes / 2);
    store.compact().await.unwrap();
    let small = fs::metadata(&path).unwrap().len();
    assert!(small < full - taken.bytes * 8 / 10, "{full} {small} {taken:?}");
    assert_eq!(store.size().await.unwrap().total, small);
    let log = fs::metadata(format!("{path}-wal")).map_or(0, |file| file.len());
    assert_eq!(log, 0);
    assert!(store.commit(&chain(&[200; 13])[12]).await.unwrap());
}

#[tokio::test]
async fn room_is_made_usable_on_either_database() {
    for site in sites("room_is_made_usable_on_either_database") {
        let folder = tempfile::tempdir().unwrap();
        let (store, before, _) = stripped(&site, folder.path()).await;
        store.compact().await.unwrap();
        assert_eq!(everything(&store).await.unwrap(), before);
    }
}

#[tokio::test]
async fn a_missing_archive_is_named() {
    for site in sites("a_missing_archive_is_named") {
        let folder = tempfile::tempdir().unwrap();
        let (store, before, _) = stripped(&site, folder.path()).await;
        store.close().await;
        let store = Store::open(&site.url).await.unwrap();
        let error = store.block(3).await.unwrap_err();
        assert!(matches!(error, StoreError::Archived { height: 3, folder: None, .. }), "{error}");
        let away = folder.path().join("away");
        let file = folder.path().join("blocks-1-8.cova");
        fs::rename(&file, &away).unwrap();
        let store = store.with_archives(folder.path());
        let error = store.block(3).await.unwrap_err().to_string();
        let place = format!("bring `blocks-1-8.cova` into the archive folder `{}`", folder.path().display());
        assert!(error.contains("block 3") && error.contains(&place), "{error}");
        assert!(matches!(store.entries(0, 300).await, Err(StoreError::Archived { height: 1, .. })));
        // What needs no body needs no archive.
        assert_eq!(store.load(0).await.unwrap(), before.loaded);
        assert_eq!(store.entries(1600, 800).await.unwrap(), before.entries[1600..]);
        assert_eq!(store.entries(0, 100).await.unwrap(), before.entries[..100]);
        // Brought while the node runs.
        fs::rename(&away, &file).unwrap();
        assert_eq!(store.block(3).await.unwrap(), before.blocks[2]);
    }
}

#[tokio::test]
async fn nothing_is_taken_away_that_is_in_no_archive() {
    for site in sites("nothing_is_taken_away_that_is_in_no_archive") {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&site.url).await.unwrap();
        fill(&store, &HEIGHTS).await;
        let before = everything(&store).await.unwrap();
        let error = store.strip(3, header_of).await.unwrap_err();
        assert!(matches!(error, StoreError::NotArchived { height: 1, folder: None }), "{error}");
        let store = store.with_archives(folder.path());
        store.archive_range(1..=2, folder.path(), |_| {}).await.unwrap();
        let error = store.strip(3, header_of).await.unwrap_err();
        assert!(matches!(error, StoreError::NotArchived { height: 3, folder: Some(_) }), "{error}");
        let error = store.strip(2, |_| Err("no header".into())).await.unwrap_err();
        assert!(matches!(error, StoreError::Header { height: 1, .. }), "{error}");
        let error = store.archive_range(11..=13, folder.path(), |_| {}).await.unwrap_err();
        assert!(matches!(error, StoreError::Gap { height: 13, next: 13 }), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(everything(&store.clone().with_archives("/nowhere")).await.unwrap(), before);
    }
}

/// Broken off at the tenth block, the parts before it are done and the rest can be done later.
#[tokio::test]
async fn taking_away_goes_on_where_it_was_broken_off() {
    for site in sites("taking_away_goes_on_where_it_was_broken_off") {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&site.url).await.unwrap().with_archives(folder.path());
        fill(&store, &HEIGHTS).await;
        let before = everything(&store).await.unwrap();
        store.archive_range(1..=12, folder.path(), |_| {}).await.unwrap();
        let tenth = before.blocks[9].clone().unwrap().bytes;
        let fails = |bytes: &[u8]| if bytes == tenth { Err("no header".into()) } else { header_of(bytes) };
        let error = store.strip(12, fails).await.unwrap_err();
        assert!(matches!(error, StoreError::Header { height: 10, .. }), "{error}");
        let mut bodies = Vec::new();
        for height in 1..=12 {
            bodies.push(store.block_here(height).await.unwrap().unwrap().body);
        }
        assert_eq!(bodies, [[Body::Header; 8].as_slice(), &[Body::Full; 4]].concat());
        assert_eq!(everything(&store).await.unwrap(), before);
        assert_eq!(store.strip(12, header_of).await.unwrap().blocks, 4);
        assert_eq!(everything(&store).await.unwrap(), before);
    }
}

/// Another chain's archive under the right name.
async fn foreign(folder: &Path) {
    let other = Store::open("sqlite::memory:").await.unwrap();
    let mut chain = chain(&HEIGHTS);
    chain.iter_mut().for_each(|commit| commit.bytes[100] ^= 1);
    commit_all(&other, &chain).await;
    other.archive_range(1..=8, folder, |_| {}).await.unwrap();
}

#[tokio::test]
async fn an_archive_of_other_blocks_is_not_believed() {
    for site in sites("an_archive_of_other_blocks_is_not_believed") {
        let folder = tempfile::tempdir().unwrap();
        let (store, before, _) = stripped(&site, folder.path()).await;
        let file = folder.path().join("blocks-1-8.cova");
        let right = fs::read(&file).unwrap();
        store.close().await;
        let store = Store::open(&site.url).await.unwrap().with_archives(folder.path());
        foreign(folder.path()).await;
        assert!(Archive::open(&file).is_ok());
        for _ in 0..2 {
            let error = store.block(3).await.unwrap_err();
            let StoreError::WrongArchive { file: named, height: 3 } = &error else { panic!("{error}") };
            assert_eq!(named, &file);
        }
        assert!(matches!(store.entries(100, 100).await, Err(StoreError::WrongArchive { height: 1, .. })));
        fs::write(&file, right).unwrap();
        assert_eq!(store.block(3).await.unwrap(), before.blocks[2]);
        assert_eq!(store.entries(0, 2400).await.unwrap(), before.entries);
    }
}

#[tokio::test]
async fn bodies_stay_when_the_archive_holds_others() {
    let (site, folder) = (sqlite(), tempfile::tempdir().unwrap());
    let store = Store::open(&site.url).await.unwrap().with_archives(folder.path());
    fill(&store, &HEIGHTS).await;
    foreign(folder.path()).await;
    let error = store.strip(8, header_of).await.unwrap_err();
    assert!(matches!(error, StoreError::WrongArchive { height: 1, .. }), "{error}");
    assert_eq!(store.block(1).await.unwrap().unwrap().body, Body::Full);
}

/// Three small blocks.
async fn small(folder: &Path) -> (Store, Vec<u8>) {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let mut chain = chain(&[2, 0, 2]);
    chain.iter_mut().for_each(|c| (c.bytes, c.certificate) = (vec![c.height as u8; 60], vec![2; 5]));
    commit_all(&store, &chain).await;
    let path = store.archive_range(1..=3, folder, |_| {}).await.unwrap();
    (store, fs::read(path).unwrap())
}

#[tokio::test]
async fn an_archive_with_any_byte_changed_or_cut_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (store, whole) = small(folder.path()).await;
    let path = folder.path().join("broken.cova");
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 1 << (at % 8);
        fs::write(&path, &broken).unwrap();
        let error = Archive::open(&path).unwrap_err();
        assert!(!matches!(error, FileError::Io { .. }), "{at}: {error}");
        fs::write(&path, &whole[..at]).unwrap();
        let error = Archive::open(&path).unwrap_err();
        assert!(matches!(error, FileError::Truncated { offset } if offset == at as u64), "{at}: {error}");
    }
    fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert!(matches!(Archive::open(&path), Err(FileError::Trailing { .. })));
    fs::write(&path, &whole).unwrap();
    assert_eq!(Archive::open(&path).unwrap().block(3).unwrap(), store.archived_block(3).await.unwrap());
}

/// Whatever is damaged, a reader gets what was there or an error.
#[tokio::test]
async fn a_damaged_archive_is_told_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (store, whole) = small(folder.path()).await;
    let store = store.with_archives(folder.path());
    let before = store.block(2).await.unwrap();
    assert_eq!(store.strip(3, header_of).await.unwrap().blocks, 3);
    let (mut right, mut told) = (0, 0);
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 1 << (at % 8);
        fs::write(folder.path().join("blocks-1-3.cova"), &broken).unwrap();
        match store.clone().with_archives(folder.path()).block(2).await {
            Ok(found) => right += u32::from(found == before),
            Err(StoreError::Archive { .. } | StoreError::WrongArchive { .. }) => told += 1,
            Err(other) => panic!("{at}: {other}"),
        }
    }
    assert!(right > 100 && told > 100 && (right + told) as usize == whole.len(), "{right} {told}");
}

#[tokio::test]
async fn heights_follow_each_other_in_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let (store, whole) = small(folder.path()).await;
    let block = store.archived_block(2).await.unwrap().unwrap();
    let mut writer = ArchiveWriter::new(Cursor::new(Vec::new()), 1..=3).unwrap();
    let error = writer.push(&block).unwrap_err();
    assert!(matches!(&error, FileError::Damaged { detail, .. } if detail.contains("height 2")), "{error}");
    writer.push(&store.archived_block(1).await.unwrap().unwrap()).unwrap();
    assert!(matches!(writer.finish(), Err(FileError::Damaged { .. })));
    let mut writer = ArchiveWriter::new(Vec::new(), 1..=3).unwrap();
    for height in 1..=3 {
        writer.push(&store.archived_block(height).await.unwrap().unwrap()).unwrap();
    }
    assert!(writer.push(&block).is_err() && writer.finish().unwrap() == whole);
}

#[tokio::test]
async fn a_stripped_replica_is_backed_up_and_rewritten() {
    for site in sites("a_stripped_replica_is_backed_up_and_rewritten") {
        let folder = tempfile::tempdir().unwrap();
        let (store, before, _) = stripped(&site, folder.path()).await;
        let mut rewrite = store.rewrite().await.unwrap();
        for commit in chain(&HEIGHTS) {
            rewrite.push(commit).await.unwrap();
        }
        rewrite.finish().await.unwrap();
        let missing = store.clone().with_archives("/nowhere").block(2).await;
        assert!(matches!(missing, Err(StoreError::Archive { .. })), "{missing:?}");
        let (backup, summary) = crate::backup::dump(&store).await;
        assert!(summary.bytes < 8_000_000);
        let copy = crate::backup::load("sqlite::memory:", &backup).await.unwrap();
        assert!(matches!(copy.entries(100, 100).await, Err(StoreError::Archived { height: 1, .. })));
        for replica in [copy.with_archives(folder.path()), store] {
            assert_eq!(everything(&replica).await.unwrap(), before);
        }
    }
}
