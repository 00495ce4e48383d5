//! Tables: any bytes are read without a panic, and what was read comes back when it is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weft_shared::dataset::{Form, read, write};

fuzz_target!(|bytes: &[u8]| {
    for (form, header) in [(Form::Csv, "question,answer,tags\n"), (Form::Tsv, "question\tanswer\thistory\n")] {
        for file in [bytes.to_vec(), [header.as_bytes(), bytes].concat()] {
            let Ok(found) = read(&file, Some(form)) else { continue };

            let file = write(&found.pairs, form).expect("text can be written");
            let again = read(&file, Some(form)).expect("what was written can be read");
            assert_eq!(again.pairs, found.pairs);
            assert!(again.problems.is_empty());
        }
    }
});
