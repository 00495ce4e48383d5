//! The page.

fn main() {
    console_error_panic_hook::set_once();
    weft_frontend::app::mount();
}
