use super::*;

fn done(attributes: &[(&str, &str)]) -> old::Done {
    let attribute = |(name, value): &(&str, &str)| old::Attribute {
        name: (*name).into(),
        value: (*value).into(),
    };
    old::Done { outputs: "{}".into(), attributes: attributes.iter().map(attribute).collect() }
}

#[test]
fn an_undo_waits_by_its_attributes() {
    let asked = done(&[("waits-for", "k-1"), ("waits-for", "k-2"), ("waits-ms", "5000")]);
    let Ok(types::Outcome::Waiting(callback)) = undone(asked) else { panic!("it waits") };
    assert_eq!((callback.keys.join(" ").as_str(), callback.timeout_ms), ("k-1 k-2", 5_000));
    assert!(matches!(undone(done(&[])), Ok(types::Outcome::Done(_))));
    for wrong in [&[("waits-for", "k-1")][..], &[("waits-for", "k-1"), ("waits-ms", "soon")]] {
        assert_eq!(undone(done(wrong)).unwrap_err().code.as_str(), "PLUGIN_ANSWER");
    }
}

#[test]
fn an_observation_is_read_from_the_attributes_of_a_probe() {
    let differences = r#"[{"name":"vlan","expected":100,"found":7},{"name":"x","expected":1}]"#;
    let asked = done(&[("held-by", "k-2"), ("differences", differences)]);
    let Ok(observation::Observed::Present(state)) = observed(old::Finding::Applied(asked)) else {
        panic!("it is there")
    };
    assert!(matches!(&state.owner, observation::Owner::Other(key) if key == "k-2"));
    let values = state.differences.iter().map(|one| (one.expected.as_str(), one.found.as_deref()));
    assert_eq!(values.collect::<Vec<_>>(), [("100", Some("7")), ("1", None)]);
    let wrong = done(&[("differences", "1")]);
    assert_eq!(observed(old::Finding::Applied(wrong)).unwrap_err().code.as_str(), "PLUGIN_ANSWER");
    assert!(matches!(observed(old::Finding::NotApplied), Ok(observation::Observed::Absent)));
}
