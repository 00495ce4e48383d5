//! Files of JSON records: any bytes are read without a panic, and what was read comes back when it is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weft_shared::dataset::{Form, read, write};

fuzz_target!(|bytes: &[u8]| {
    let forms = Form::all().filter(|form| !matches!(form, Form::Csv | Form::Tsv));
    for form in forms.map(Some).chain([None]) {
        let Ok(found) = read(bytes, form) else { continue };

        let file = write(&found.pairs, found.form).expect("text can be written");
        let again = read(&file, Some(found.form)).expect("what was written can be read");
        let lost = found.pairs.iter().any(|pair| found.form.loses(pair).is_some());
        assert!(lost || again.pairs == found.pairs);
        assert!(again.problems.is_empty());
    }
});
