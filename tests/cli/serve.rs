//! What `weft serve` refuses before it opens anything.

use crate::weft::refused;

#[test]
fn a_server_that_others_can_reach_needs_a_token() {
    for host in ["0.0.0.0", "192.168.0.2", "::"] {
        let told = refused(&["serve", "--host", host]);

        assert!(told.contains("WEFT_TOKEN") && told.contains(host), "{told}");
    }
    let told = refused(&["serve", "--allowed-host", "weft.example.org"]);
    assert!(told.contains("weft.example.org") && told.contains("--token"), "{told}");
}

#[test]
fn a_token_that_can_be_guessed_is_refused_and_not_repeated() {
    let told = refused(&["serve", "--host", "0.0.0.0", "--token", "swordfish"]);

    assert!(told.contains("found 9 characters"), "{told}");
    assert!(!told.contains("swordfish"), "{told}");
}

#[test]
fn a_device_that_there_is_not_is_refused() {
    let told = refused(&["serve", "--device", "gpu"]);
    assert!(told.contains("\"gpu\"") && told.contains("auto"), "{told}");
    let told = refused(&["serve", "--device", "cuda:99"]);
    assert!(told.contains("cuda:99") && told.contains("cpu"), "{told}");
}
