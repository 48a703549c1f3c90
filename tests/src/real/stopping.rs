//! A run is cancelled while its server works for it: the server is told so, and stops.
//!
//! Not here: what cannot be stopped any more. From the first package on, work is left to finish.

use hostler_tests::lab::until;

use super::LIMIT;
use super::cycle::Cycle;
use super::engine::Engine;
use super::files::top;
use super::fleet::{DEBIAN, Fleet, Member, PLAIN, SECURE};
use super::proof;

const ASSET: &str = "called-off1";
const MEMBERS: [Member; 1] = [Member {
    asset: ASSET,
    ..DEBIAN
}];
/// Downloads of packages stand still until a file goes away.
const LONG_DOWNLOAD: &str = "touch /run/hold-download; cat >/usr/local/bin/apt-get <<'end'
#!/bin/sh
case \" $* \" in *' --download-only '*)
  touch /run/downloading
  while [ -e /run/hold-download ]; do sleep 0.2; done ;;
esac
exec /usr/bin/apt-get \"$@\"
end
chmod 755 /usr/local/bin/apt-get";

#[test]
fn a_run_that_is_cancelled_stops_the_work_on_its_server() {
    let fleet = Fleet::start(&MEMBERS);
    let engine = Engine::embedded(&fleet, &top().join("workflows"));
    let cycle = Cycle::start(&engine.says, &format!("id={ASSET}"));
    cycle.triage();
    fleet.on(ASSET, LONG_DOWNLOAD);
    cycle.approve();
    reached(&fleet, "it loads packages", "test -e /run/downloading");

    let words = [
        "run",
        "cancel",
        &cycle.run,
        "--reason",
        "the customer called",
    ];
    engine.says.text("olga", &words);
    reached(&fleet, "it is told to stop", "ls /var/lib/hostler/*/cancel");
    fleet.on(ASSET, "rm /run/hold-download");

    let (result, note) = cycle.item("patch", ASSET, LIMIT);
    println!("{ASSET}: {result}: {note}");
    assert_eq!(
        (result.as_str(), cycle.end().as_str()),
        ("cancelled", "cancelled")
    );
    for package in [PLAIN, SECURE] {
        let version = format!("dpkg-query -W -f '${{Version}}' {package}");
        assert_eq!(fleet.on(ASSET, &version), "1.0");
        assert_eq!(proof::upgrades(&fleet, ASSET, package), 0);
    }
    assert_eq!(proof::silences(&fleet)[ASSET], ["expired"]);
    engine.stop();
}

fn reached(fleet: &Fleet, what: &str, script: &str) {
    let found = until(LIMIT, || fleet.holds(ASSET, script));
    assert!(found.is_some(), "{what}: not within {LIMIT:?}");
}
