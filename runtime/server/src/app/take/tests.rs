use super::*;

#[test]
fn questions_and_looks_have_limits_of_their_own_and_say_who_must_act() {
    let mut asked = Asked::default();
    for _ in 0..INSTANCES_MAX {
        asked.instance().unwrap();
    }
    for _ in 0..QUESTIONS_MAX {
        asked.plugin().unwrap();
    }
    let plugins = asked.plugin().unwrap_err();
    assert_eq!(
        (plugins.class, plugins.code.as_str()),
        (FailureClass::Operator, "DECOMP_QUESTIONS")
    );
    let instances = asked.instance().unwrap_err();
    assert_eq!(
        (instances.class, instances.code.as_str()),
        (FailureClass::Reject, "DECOMP_INSTANCES")
    );
    assert!(!instances.message.contains("plugin"), "{}", instances.message);
}
