//! So many queries of a workspace at a time.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use spoor_remote::{Client, Progress, Until};

use super::asking::{Canaries, StopAt, TWO, ask_by, options, workspace};
use super::server::{Server, pieces, until};

#[test]
fn others_wait_and_know_how_many_come_before() {
    let server = Server::new(vec![pieces(TWO, 20, Duration::from_millis(100))]);
    let client = Arc::new(Client::new(options()));
    let soc = workspace("log-analytics", &server, "limits.concurrent = 1");
    let ask = |client: &Arc<Client>| {
        let (client, soc) = (client.clone(), soc.clone());
        thread::spawn(move || ask_by(&client, &soc, &Canaries::default(), &Until(None)))
    };
    let first = ask(&client);
    assert!(server.is_asked());
    let second = ask(&client);
    assert!(until(|| client.load("soc") == (1, 1)));
    let third = ask(&client);
    assert!(until(|| client.load("soc") == (1, 2)));
    // One that gives up does not hold up those behind it.
    let watch = StopAt(Instant::now() + Duration::from_millis(30));
    let gone = ask_by(&client, &soc, &Canaries::default(), &watch);
    assert!(gone.error().contains("stopped") && gone.took < Duration::from_millis(150));
    assert_eq!(gone.progress, [Progress::Waiting { ahead: 2 }]);
    let all = [first, second, third].map(|asked| asked.join().unwrap());
    assert!(all.iter().all(|came| came.rows() == 2));
    let waited = |at: usize, ahead| all[at].progress.contains(&Progress::Waiting { ahead });
    assert!(!waited(0, 0) && waited(1, 0) && waited(2, 1) && waited(2, 0));
    assert_eq!(client.load("soc"), (0, 0));
}
