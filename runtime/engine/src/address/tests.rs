use super::*;

#[test]
fn an_address_has_the_token_of_its_key_and_of_no_other() {
    let addresses = Addresses::new(&[7; SECRET_BYTES]);
    for key in ["f:0", "f:1", "a.b:12", ""] {
        let address = addresses.of(key);
        assert_eq!(addresses.key(&address), Some(key));
        assert_eq!(Addresses::new(&[8; SECRET_BYTES]).key(&address), None);
        let (_, token) = address.rsplit_once('.').unwrap();
        assert_eq!(addresses.key(&format!("{key}x.{token}")), None);
        for cut in 0..address.len() {
            assert_eq!(addresses.key(&address[..cut]), None, "{}", &address[..cut]);
        }
        assert_eq!(addresses.key(&address.to_uppercase()), None);
    }
}
