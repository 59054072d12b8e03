use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_value_in_pieces_is_read_whole(
        head: Vec<u8>,
        tail: Vec<u8>,
        parts in prop::collection::vec(any::<Vec<u8>>(), 0..5),
    ) {
        let count = u32::try_from(parts.len()).unwrap();
        let pieces = Pieces { prefix: b"g/x/".to_vec(), count, head, tail };
        let keys: Vec<Vec<u8>> = pieces.keys().collect();
        let get = |key: &[u8]| {
            let place = keys.iter().position(|known| known == key);
            Ok::<_, Infallible>(place.map(|place| parts[place].clone()))
        };
        prop_assert_eq!(Pieces::read(&pieces.to_bytes()), Some(pieces.clone()));
        let expected = [pieces.head.clone(), parts.concat(), pieces.tail.clone()].concat();
        prop_assert_eq!(whole(pieces.to_bytes(), get).unwrap(), expected);
        // Without one of them it is no value at all.
        if !parts.is_empty() {
            let bare = whole(pieces.to_bytes(), |_| Ok::<_, Infallible>(None)).unwrap();
            prop_assert_eq!(bare, pieces.to_bytes());
        }
    }

    #[test]
    fn any_other_value_is_read_as_it_is(bytes: Vec<u8>) {
        let read = whole(bytes.clone(), |_| Ok::<_, Infallible>(Some(b"more".to_vec()))).unwrap();
        prop_assert_eq!(read, bytes);
    }
}
