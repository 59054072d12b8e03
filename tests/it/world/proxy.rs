//! A load balancer before several nodes: it leads to the one that is ready.

use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::Http;

/// The answer of the proxy while no node is ready.
const NONE_READY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// How often the proxy looks for the node that is ready.
const LOOK: Duration = Duration::from_millis(200);

/// Leads connections to the node that is ready, as a load balancer does; those to one that is not any more end.
pub(crate) async fn led_on(proxy: TcpListener, nodes: Vec<Http>) {
    let leading = watch::Sender::new(None);
    let leads = leading.subscribe();
    let looks = async {
        loop {
            let now = ready(&nodes).await;
            leading.send_if_modified(|known| {
                let is_other = *known != now;
                *known = now;
                is_other
            });
            tokio::time::sleep(LOOK).await;
        }
    };
    let accepts = async {
        while let Ok((mut client, _)) = proxy.accept().await {
            let mut leads = leads.clone();
            tokio::spawn(async move {
                let Some(node) = leads.borrow_and_update().clone() else {
                    drop(client.write_all(NONE_READY).await);
                    return;
                };
                tokio::select! {
                    _ = led(client, node) => {}
                    _ = leads.changed() => {}
                }
            });
        }
    };
    tokio::join!(looks, accepts);
}

/// The address of the node that is ready.
async fn ready(nodes: &[Http]) -> Option<String> {
    for node in nodes {
        let asked = node.send("GET", "/readyz", &[], "");
        let asked = tokio::time::timeout(Duration::from_secs(1), asked).await;
        if matches!(asked, Ok(Ok(answer)) if answer.status == 200) {
            return Some(node.base.trim_start_matches("http://").to_owned());
        }
    }
    None
}

async fn led(mut client: TcpStream, node: String) -> std::io::Result<()> {
    let mut server = TcpStream::connect(node).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
