use proptest::prelude::*;

use super::*;

/// Much memory for what is read.
const CACHE_BYTES: u64 = 1 << 20;

fn all() -> Range {
    (Bound::Unbounded, Bound::Unbounded)
}

fn cells(reading: &Reading<'_>) -> Vec<Cell> {
    reading.cells(all(), Direction::Forward).collect::<Result<_, _>>().unwrap()
}

/// What happens to tables.
#[derive(Clone, Debug)]
enum Step {
    /// A commit: keys, and what they become.
    Commit(Vec<(u8, Option<u8>)>),
    Flush,
    Merge,
    MergeAll,
    /// An iterator is begun, and read at the end.
    Look,
}

fn step() -> impl Strategy<Value = Step> {
    let change = (0..12_u8, prop::option::weighted(0.7, any::<u8>()));
    prop_oneof![
        6 => prop::collection::vec(change, 1..6).prop_map(Step::Commit),
        2 => Just(Step::Flush),
        1 => Just(Step::Merge),
        1 => Just(Step::MergeAll),
        2 => Just(Step::Look),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is flushed and merged between, readers see all commits before they began, and no later one.
    #[test]
    fn readers_see_the_commits_before_them(steps in prop::collection::vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let tables = Arc::new(Tables::open(folder.path(), CACHE_BYTES).unwrap());
        let mut known = BTreeMap::new();
        let mut looks = Vec::new();
        for step in steps {
            match step {
                Step::Commit(changes) => {
                    let changes: BTreeMap<_, _> = changes.into_iter().collect();
                    for (key, value) in &changes {
                        match value {
                            Some(value) => drop(known.insert(vec![*key], vec![*value])),
                            None => drop(known.remove(&vec![*key])),
                        }
                    }
                    let changes = changes.into_iter();
                    tables.apply(changes.map(|(key, value)| (vec![key], value.map(|value| vec![value]))));
                }
                Step::Flush => {
                    tables.set_apart();
                    tables.flush().unwrap();
                }
                Step::Merge => drop(tables.merge_some().unwrap()),
                Step::MergeAll => tables.merge_all().unwrap(),
                Step::Look => {
                    let cells = tables.reading().cells(all(), Direction::Forward);
                    looks.push((cells, known.clone()));
                }
            }
            let expected: Vec<Cell> = known.clone().into_iter().collect();
            let reading = tables.reading();
            prop_assert_eq!(&cells(&reading), &expected);
            let back = reading.cells(all(), Direction::Backward).collect::<Result<Vec<_>, _>>().unwrap();
            prop_assert!(back.iter().eq(expected.iter().rev()));
            for key in 0..12 {
                prop_assert_eq!(reading.get(&[key]).unwrap(), known.get(&vec![key]).cloned());
            }
        }
        for (cells, known) in looks {
            let expected: Vec<Cell> = known.into_iter().collect();
            prop_assert_eq!(cells.collect::<Result<Vec<_>, _>>().unwrap(), expected);
        }
        // Opened again they have what was flushed.
        tables.set_apart();
        tables.flush().unwrap();
        drop(tables);
        let tables = Tables::open(folder.path(), CACHE_BYTES).unwrap();
        prop_assert_eq!(cells(&tables.reading()), known.into_iter().collect::<Vec<_>>());
        prop_assert!(tables.readers.lock().unwrap().is_empty());
    }
}

#[test]
fn no_reader_sees_a_part_of_a_commit_while_files_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::open(folder.path(), CACHE_BYTES).unwrap();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let found = cells(&tables.reading());
                    let mut values = found.iter().map(|(_, value)| value);
                    let first = values.next();
                    assert!(
                        values.all(|value| Some(value) == first),
                        "a part of a commit: {found:?}"
                    );
                    assert!(found.is_empty() || found.len() == 20);
                }
            });
        }
        for round in 0..400_u32 {
            let value = round.to_be_bytes().to_vec();
            tables.apply((0..20).map(|key| (vec![key], Some(value.clone()))));
            if round % 7 == 0 {
                tables.set_apart();
                tables.flush().unwrap();
                tables.merge_some().unwrap();
            }
        }
        is_over.store(true, Ordering::SeqCst);
    });
}

#[test]
fn merged_files_have_nothing_that_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::open(folder.path(), CACHE_BYTES).unwrap();
    let noise = |number: u32| (0..2_000_u32).map(move |n| (n.wrapping_mul(number + 7) >> 3) as u8);
    for number in 0..500_u32 {
        tables.apply([(number.to_be_bytes().to_vec(), Some(noise(number).collect()))]);
    }
    tables.set_apart();
    tables.flush().unwrap();
    let before = tables.tree.disk_space();
    for number in 0..500_u32 {
        tables.apply([(number.to_be_bytes().to_vec(), None)]);
    }
    tables.set_apart();
    tables.flush().unwrap();
    tables.merge_all().unwrap();
    assert!(cells(&tables.reading()).is_empty());
    assert!(tables.tree.disk_space() < before / 100, "{} of {before}", tables.tree.disk_space());
}

/// Commits that come while an iterator is there are not kept in memory for it.
#[test]
fn a_long_read_does_not_keep_what_comes_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::open(folder.path(), CACHE_BYTES).unwrap();
    tables.apply([(vec![0], Some(vec![0]))]);
    let cells = tables.reading().cells(all(), Direction::Forward);
    for round in 0..20_u8 {
        tables.apply([(vec![1], Some(vec![round; 100_000]))]);
        tables.set_apart();
        tables.flush().unwrap();
        tables.merge_some().unwrap();
    }
    assert!(tables.tree.version_free_list_len() <= 1);
    assert!(tables.tree.get_version_history_lock().memtable_size_sum() < 250_000);
    assert_eq!(cells.collect::<Result<Vec<_>, _>>().unwrap(), [(vec![0], vec![0])]);
}

/// A directory in the place of the next file makes its making fail.
#[test]
fn a_file_that_cannot_be_written_leaves_nothing_and_is_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::open(folder.path(), CACHE_BYTES).unwrap();
    tables.apply([(vec![1], Some(vec![1; 100]))]);
    tables.set_apart();
    let files = folder.path().join(FILES);
    let in_the_way = files.join(tables.tree.next_table_id().to_string());
    fs::create_dir(&in_the_way).unwrap();
    tables.flush().unwrap_err();
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(fs::read_dir(&files).unwrap().count(), 0);
    assert_eq!(cells(&tables.reading()), [(vec![1], vec![1; 100])]);
    tables.flush().unwrap();
    assert_eq!(fs::read_dir(&files).unwrap().count(), 1);
    drop(tables);
    let tables = Tables::open(folder.path(), CACHE_BYTES).unwrap();
    assert_eq!(cells(&tables.reading()), [(vec![1], vec![1; 100])]);
}
