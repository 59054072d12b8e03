use model::{Failure, FailureClass, Outcome};

use super::*;

#[test]
fn a_log_is_cut_with_a_note() {
    let failure = Failure::new(FailureClass::Operator, "C".repeat(100), "m".repeat(1 << 20));
    let long = "ü".repeat(LOG_BYTES_MAX / 3);
    let log = vec![long.clone(), long, "last".into()];
    let Report { outcome, log, .. } = bounded(Report::new(Outcome::Failed(failure), log));
    let Outcome::Failed(failure) = outcome else { panic!("it is no failure any more") };
    assert!(failure.code.as_str().len() <= 64 && failure.message.len() <= 4 << 10);
    assert!(log.iter().map(String::len).sum::<usize>() <= LOG_BYTES_MAX + 100);
    assert!(log.last().unwrap().contains("2 lines"), "{:?}", log.last());
    let short = vec!["a".to_string(), "b".to_string()];
    assert_eq!(cut(short.clone()), short);
}
