//! What follows from answers, and what is kept.

use proptest::prelude::*;

use super::super::progress::Standing;
use super::super::retention::Range;
use super::*;

const PATIENCE: Patience = Patience {
    attempts_max: 3,
    pause_ms_min: 100,
    pause_ms_max: 1_000,
    silence_ms_max: 60_000,
    dead_max: 2,
};

fn answered(progress: &mut Progress, answer: Answer, at: i64) -> Then {
    progress.answered(answer, Timestamp(at), &PATIENCE, "h1")
}

fn not_now() -> Answer {
    Answer::NotNow("503".into())
}

#[test]
fn a_delivered_event_is_followed_by_the_next() {
    let mut progress = Progress::from(5);
    assert_eq!(answered(&mut progress, Answer::Taken, 0), Then::Next);
    assert_eq!((progress.next, progress.delivered, progress.failing_since), (6, 1, None));
}

#[test]
fn a_refused_event_is_retried_and_then_dead() {
    let mut progress = Progress::from(5);
    for at in [0, 200] {
        let Then::Again(again) = answered(&mut progress, not_now(), at) else { panic!() };
        assert!(again > Timestamp(at) && again <= Timestamp(at + 200), "{again:?}");
        assert_eq!(progress.next, 5);
    }
    assert_eq!(answered(&mut progress, not_now(), 600), Then::Bury);
    assert_eq!((progress.next, progress.attempts, progress.dead), (6, 0, 1));
    assert_eq!(progress.failing_since, Some(Timestamp(0)));
    assert_eq!(answered(&mut progress, Answer::Taken, 700), Then::Next);
    assert_eq!(progress.failing_since, None);
}

#[test]
fn an_event_that_can_never_be_delivered_is_dead_at_once() {
    let mut progress = Progress::from(5);
    let then = answered(&mut progress, Answer::Never("410".into()), 0);
    assert_eq!((then, progress.next), (Then::Bury, 6));
}

#[test]
fn a_subscriber_that_is_silent_for_long_is_paused_with_its_event_kept() {
    let mut progress = Progress::from(5);
    answered(&mut progress, not_now(), 0);
    assert_eq!(answered(&mut progress, not_now(), 60_000), Then::Wait);
    assert_eq!((progress.standing, progress.next), (Standing::Paused(Pause::Silent), 5));
    progress.resume();
    assert!(progress.is_active());
    assert!(matches!(answered(&mut progress, not_now(), 120_000), Then::Again(_)));
}

#[test]
fn too_many_dead_letters_pause_instead_of_losing_one() {
    let mut progress = Progress { dead: 2, ..Progress::from(5) };
    let then = answered(&mut progress, Answer::Never("410".into()), 0);
    assert_eq!((then, progress.standing), (Then::Wait, Standing::Paused(Pause::Full)));
    assert_eq!((progress.next, progress.dead), (5, 2));
}

#[test]
fn removed_events_are_counted_as_missed() {
    let mut progress = Progress::from(5);
    progress.lost_until(4);
    assert_eq!((progress.next, progress.missed), (5, 0));
    progress.lost_until(9);
    assert_eq!((progress.next, progress.missed), (9, 4));
}

#[test]
fn progress_is_read_as_it_was_kept() {
    let mut progress = Progress::from(5);
    answered(&mut progress, not_now(), 7);
    for standing in [Standing::Active, Standing::Paused(Pause::Full)] {
        progress.standing = standing;
        let kept = serde_json::to_vec(&progress).unwrap();
        assert_eq!(serde_json::from_slice::<Progress>(&kept).unwrap(), progress);
    }
    let kept = r#"{"next":5,"standing":{"paused":"asked"},"attempts":0,"delivered":0,"dead":0,"missed":0}"#;
    let read: Progress = serde_json::from_str(kept).unwrap();
    assert_eq!(read, Progress { standing: Standing::Paused(Pause::Asked), ..Progress::from(5) });
}

#[test]
fn events_are_kept_while_someone_waits_up_to_a_bound() {
    let keep = Keep { count: 10, age_ms: 1_000, count_max: 100 };
    let over = |sequence: u64, needed: u64, at: i64| {
        let range = Range { end: 1_000, needed };
        keep.is_over(sequence, Timestamp(0), range, Timestamp(at))
    };
    // Among the last ten and young.
    assert!(!over(995, 1_000, 500));
    // Too many after it, or too old; but a subscriber waits.
    assert!(over(985, 1_000, 500) && !over(985, 985, 500));
    assert!(over(995, 1_000, 1_001) && !over(995, 995, 1_001));
    // More than the limit, whether or not a subscriber waits.
    assert!(over(899, 0, 0) && !over(900, 0, 0));
}

proptest! {
    #[test]
    fn pauses_grow_up_to_a_bound_and_are_never_nothing(
        attempts in 0_u32..200,
        sequence: u64,
        seed in "[a-z]{0,8}",
    ) {
        let pause = PATIENCE.pause_ms(attempts, sequence, &seed);
        prop_assert!((PATIENCE.pause_ms_min / 2..=PATIENCE.pause_ms_max).contains(&pause));
        prop_assert_eq!(pause, PATIENCE.pause_ms(attempts, sequence, &seed));
    }

    /// Every event is settled once: delivered, dead, or not reached yet.
    #[test]
    fn nothing_is_lost_whatever_the_answers(answers in prop::collection::vec(0_u8..3, 0..60)) {
        let mut progress = Progress::from(0);
        for (step, answer) in answers.into_iter().enumerate() {
            let answer = match answer {
                0 => Answer::Taken,
                1 => Answer::Never("410".into()),
                _ => not_now(),
            };
            let before = progress.clone();
            match answered(&mut progress, answer, step as i64 * 500) {
                Then::Next | Then::Bury => prop_assert_eq!(progress.next, before.next + 1),
                Then::Again(_) => prop_assert_eq!(progress.next, before.next),
                Then::Wait => {
                    prop_assert_eq!(progress.next, before.next);
                    prop_assert!(!progress.is_active());
                    progress.resume();
                    progress.dead = 0;
                }
            }
            prop_assert!(progress.attempts < PATIENCE.attempts_max);
        }
    }
}
