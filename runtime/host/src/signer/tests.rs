use std::io::Cursor;

use minisign::KeyPair;

use super::*;

fn key(pair: &KeyPair, ids: &[&str]) -> Key {
    Key { public: pair.pk.to_base64(), ids: ids.iter().copied().map(str::to_owned).collect() }
}

fn signers(keys: &[(&str, Key)]) -> Signers {
    Signers::new(keys.iter().map(|(name, key)| (*name, key))).unwrap()
}

#[test]
fn a_key_vouches_for_the_plugins_that_it_owns() {
    let [acme, ours] = [(); 2].map(|()| KeyPair::generate_unencrypted_keypair().unwrap());
    let trusted = signers(&[
        ("acme", key(&acme, &["acme-*"])),
        ("acme-too", key(&acme, &["noop"])),
        ("ours", key(&ours, &[])),
    ]);
    let not_owned = |id: &str, ids: &[&str]| {
        let ids = ids.iter().copied().map(str::to_owned).collect();
        Err(Distrust::NotOwned(NotOwned { key: "acme-too".into(), id: PluginId::new(id), ids }))
    };
    let rows: [(&KeyPair, &str, Result<&str, Distrust>); 7] = [
        (&acme, "acme-olt", Ok("acme")),
        (&acme, "acme-", Ok("acme")),
        (&acme, "noop", Ok("acme-too")),
        (&acme, "acme", not_owned("acme", &["noop"])),
        (&acme, "noop2", not_owned("noop2", &["noop"])),
        (&acme, "my-acme-olt", not_owned("my-acme-olt", &["noop"])),
        (&ours, "acme-olt", Ok("ours")),
    ];
    for (pair, id, wanted) in rows {
        let signature = minisign::sign(None, &pair.sk, Cursor::new(b"hello"), None, None).unwrap();
        let id = PluginId::new(id);
        let found = trusted.verify(&id, b"hello", &signature.into_string());
        let found = found.as_ref().map(|vouched| vouched.name.as_str());
        assert_eq!(found.map_err(Clone::clone), wanted, "{id}");
        let still = trusted.still(&id, "acme", &pair.pk.to_base64());
        assert_eq!(still.is_ok(), wanted.is_ok(), "{id}");
    }
    let gone =
        trusted.still(&PluginId::new("noop"), "acme", &key(&ours, &[]).public.to_lowercase());
    assert_eq!(gone, Err(Distrust::UnknownKey));
    // A record of an older host has the name only.
    assert_eq!(trusted.still(&PluginId::new("acme-olt"), "acme", ""), Ok(()));
    assert_eq!(trusted.still(&PluginId::new("acme-olt"), "lab", ""), Err(Distrust::UnknownKey));
}

#[test]
fn a_key_that_cannot_be_used_is_named() {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let rows = [
        (Key::from("RWQ"), "`acme` is no public key"),
        (Key::from(""), "`acme` is no public key"),
        (key(&pair, &["*-olt"]), "`*-olt` in `ids`"),
        (key(&pair, &["a*b*"]), "`a*b*` in `ids`"),
        (key(&pair, &["Acme"]), "`Acme` in `ids`"),
        (key(&pair, &[""]), "`` in `ids`"),
    ];
    for (key, wanted) in rows {
        let error = Signers::new([("acme", &key)].into_iter()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    // The whole file does too.
    let file = pair.pk.to_box().unwrap().to_string();
    assert_eq!(
        signers(&[("acme", Key::from(file.as_str()))]),
        signers(&[("acme", key(&pair, &[]))])
    );
}

#[test]
fn a_key_with_the_id_of_another_does_not_block_it() {
    let [acme, other] = [(); 2].map(|()| KeyPair::generate_unencrypted_keypair().unwrap());
    let mut twin = other.pk.to_bytes();
    twin[2..10].copy_from_slice(&acme.pk.to_bytes()[2..10]);
    let twin = minisign::PublicKey::from_bytes(&twin).unwrap().to_base64();
    let twin = || Key::from(twin.as_str());
    let signature = minisign::sign(None, &acme.sk, Cursor::new(b"hello"), None, None).unwrap();
    let (id, signature) = (PluginId::new("noop"), signature.into_string());
    let both = signers(&[("a", twin()), ("b", key(&acme, &[])), ("c", twin())]);
    assert_eq!(both.verify(&id, b"hello", &signature).unwrap().name, "b");
    let wrong = both.verify(&id, b"other", &signature);
    assert!(matches!(wrong, Err(Distrust::OtherBytes { .. })), "{wrong:?}");
}
