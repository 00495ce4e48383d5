//! Small pickles written by hand; `python -m pickletools` explains each.

use super::value::Global;
use super::{PickleError, Value, read};
use crate::checkpoint::ElementType;

/// Protocol 2, and one value.
fn root(program: &[u8]) -> Result<String, PickleError> {
    let program = [b"\x80\x02", program, b"."].concat();
    let pickle = read(&program)?;
    Ok(format!("{:?}", pickle.root()))
}

#[test]
fn numbers_and_texts_are_read_in_every_length() {
    for (program, wanted) in [
        (&b"K\xff"[..], "Int(255)"),
        (b"M\x00\x01", "Int(256)"),
        (b"J\xff\xff\xff\xff", "Int(-1)"),
        (b"\x8a\x00", "Int(0)"),
        (b"\x8a\x01\xff", "Int(-1)"),
        (b"\x8a\x05\x00\x00\x00\x00\x01", "Int(4294967296)"),
        (b"G\x3f\xf0\x00\x00\x00\x00\x00\x00", "Float(1.0)"),
        (b"X\x02\x00\x00\x00hi", "Text(\"hi\")"),
        (b"\x8c\x02hi", "Text(\"hi\")"),
        (b"\x88", "Bool(true)"),
        (b"N", "None"),
    ] {
        assert_eq!(root(program).unwrap(), wanted, "{program:?}");
    }
}

#[test]
fn a_remembered_value_is_shared_and_not_copied() {
    // d = {}; (d, d), after which d[1] = 2.
    let program = b"\x80\x02}q\x00h\x00\x86q\x01h\x00K\x01K\x02s0h\x01.";

    let pickle = read(program).unwrap();

    let Value::Tuple(items) = pickle.root() else { panic!("{:?}", pickle.root()) };
    assert_eq!(items[0], items[1]);
    assert!(matches!(pickle.get(items[0]), Value::Dict(entries) if entries.len() == 1));
}

#[test]
fn only_names_of_tensors_are_known() {
    assert_eq!(Global::find("torch", "HalfStorage"), Some(Global::Storage(ElementType::F16)));

    for (program, asked) in [
        (&b"cos\nsystem\n"[..], "os.system"),
        (b"\x8c\x08builtins\x8c\x04eval\x93", "builtins.eval"),
        (b"ctorch.jit\nload\n", "torch.jit.load"),
    ] {
        let error = root(program).unwrap_err().to_string();
        assert!(error.contains(asked), "{error}");
    }
}

#[test]
fn opcodes_that_make_objects_are_refused() {
    // INST, OBJ, NEWOBJ, NEWOBJ_EX, EXT1, PERSID.
    for opcode in [b'i', b'o', 0x81, 0x92, 0x82, b'P'] {
        let error = root(&[opcode]).unwrap_err();
        assert_eq!(error, PickleError::RefusedOpcode { opcode, offset: 2 });
    }
}

#[test]
fn a_program_that_makes_no_sense_is_malformed_and_not_a_panic() {
    for program in [
        &b"0"[..],            // nothing to pop
        b"t",                 // no mark
        b"(0",                // a pop below the mark
        b"h\x07",             // never remembered
        b"K\x01a",            // appending to nothing
        b"NN\x86K\x01a",      // appending to a tuple
        b"}K\x01K\x02K\x03u", // no mark
        b"}(K\x01u",          // a key without a value
        b"NQ",                // a persistent id that is no tuple
        b"NNR",               // a call of None
        b"ccollections\nOrderedDict\nNR",
        b"ctorch._utils\n_rebuild_tensor_v2\n)R",
        b"ctorch._utils\n_rebuild_parameter\n)R",
        b"NNb",
        b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01",
        b"X\x01\x00\x00\x00\xff",
    ] {
        let error = root(program).unwrap_err();
        assert!(matches!(error, PickleError::Malformed { .. }), "{program:?}: {error}");
    }
}

#[test]
fn every_beginning_of_a_pickle_is_truncated() {
    let whole = b"\x80\x02}X\x01\x00\x00\x00aK\x01s.";
    assert!(read(whole).is_ok());

    for length in 0..whole.len() {
        let error = read(&whole[..length]).unwrap_err();
        assert_eq!(error, PickleError::Truncated { offset: length });
    }
}
