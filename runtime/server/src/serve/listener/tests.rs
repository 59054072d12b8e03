use super::*;

#[tokio::test]
async fn an_address_that_is_about_to_be_free_is_waited_for() {
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = first.local_addr().unwrap();
    let mut second = std::pin::pin!(bind(address));
    tokio::select! {
        biased;
        bound = &mut second => panic!("two servers listen: {bound:?}"),
        () = tokio::task::yield_now() => {}
    }
    drop(first);
    assert_eq!(second.await.unwrap().local_addr().unwrap(), address);
}
