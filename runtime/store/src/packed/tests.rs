use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn packed_values_unpack_to_themselves(
        value in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..2_000),
            "[a-z{}\":,]{0,3000}".prop_map(String::into_bytes),
        ],
    ) {
        let packer = Packer::default();
        if let Some(packed) = packer.packed(&value) {
            prop_assert!(packed.len() < value.len());
            prop_assert_eq!(packer.unpacked(&packed).unwrap(), value);
        }
    }

    #[test]
    fn other_bytes_are_refused_or_read_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        drop(Packer::default().unpacked(&bytes));
    }
}

#[test]
fn a_short_document_becomes_much_shorter() {
    let service = r#"{"id":"0198-s1","href":"/tmf-api/serviceInventory/v4/service/0198-s1","state":"active","name":"Access","serviceSpecification":{"id":"CFS-ACCESS","name":"Access"},"relatedParty":[{"id":"C-1","role":"customer","@referredType":"Customer"}],"serviceOrderItem":[{"serviceOrderId":"0198","itemId":"1"}],"@type":"Service"}"#;
    let packed = Packer::default().packed(service.as_bytes()).unwrap();
    assert!(packed.len() * 2 < service.len(), "{} of {}", packed.len(), service.len());
}

/// A changed dictionary would make all stores unreadable.
#[test]
fn the_dictionary_is_the_one_that_stores_were_written_with() {
    assert_eq!(crc32fast::hash(DICTIONARY), 0x8395_48dd);
}

#[test]
fn a_value_that_claims_to_be_huge_takes_no_memory() {
    // The head of a frame that announces 2^60 bytes.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
    frame.extend((1u64 << 60).to_le_bytes());
    assert!(Packer::default().unpacked(&frame).is_err());
}
