use super::*;

fn commerce(text: &str) -> Result<Commerce, String> {
    let config: Result<Config, _> = toml::from_str(text);
    config.map(|config| config.commerce()).map_err(|error| error.to_string())
}

#[test]
fn an_operator_says_what_tax_there_is_and_what_needs_approval() {
    let usual = commerce("").unwrap();
    assert_eq!((usual.tax, usual.release), (None, Release::New));
    assert_eq!(usual.policy, Policy::default());
    let own = "[billing]\ntax-rate = \"7.7\"\ntax-category = \"MWST\"\nbills = \"sent\"\n\
               [quotes]\ndiscount-max = 12.5\ntotal-max = 5000\nvalid-days = 14\n";
    let own = commerce(own).unwrap();
    let tax = own.tax.unwrap();
    assert_eq!((tax.rate.to_string(), tax.category), ("7.7".into(), "MWST".into()));
    assert_eq!(own.release, Release::Sent);
    assert_eq!(own.policy.discount_max.to_string(), "12.5");
    assert_eq!(own.policy.total_max.to_string(), "5000");
    assert_eq!(own.policy.valid_days, 14);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_column() {
    let wrong = [
        ("[billing]\ntax-rate = -1\n", "line 2, column 12", "a number from 0 to 100"),
        ("[billing]\ntax-rate = \"much\"\n", "line 2, column 12", "a number from 0 to 100"),
        ("[billing]\nbills = \"burnt\"\n", "line 2, column 9", "unknown variant"),
        ("[quotes]\n\ndiscount-max = 101\n", "line 3, column 16", "a number from 0 to 100"),
        ("[quotes]\nvalid-days = 0\n", "line 2, column 14", "1 to 3650 days"),
        ("[quotes]\ntotal = 1\n", "line 2, column 1", "unknown field"),
    ];
    for (text, place, reason) in wrong {
        let said = commerce(text).unwrap_err();
        assert!(said.contains(place) && said.contains(reason), "{text}: {said}");
    }
}
