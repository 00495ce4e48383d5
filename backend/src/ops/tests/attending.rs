//! The ops that look at several positions.

use candle_core::{DType, Device, Tensor};

use super::{difference, random, same, variable};
use crate::ops::{
    AttentionMask, KvCache, MaskRow, PAGE_TOKENS, PagePool, PageShape, PositionIds, Rotation,
    attention, composed, rotary_attention, rotary_qkv,
};

/// Batch, sequence, heads, size of a head.
const SIZES: [[usize; 4]; 6] =
    [[1, 1, 1, 8], [1, 7, 2, 8], [2, 13, 3, 16], [3, 40, 2, 64], [1, 70, 2, 32], [2, 33, 1, 128]];

/// Another padding and context for each sequence.
fn mask(batch: usize, seq: usize) -> AttentionMask {
    let rows = (0..batch)
        .map(|row| {
            let padding = row * seq / 4;
            MaskRow { padding, context: (seq - padding) / (2 + row) }
        })
        .collect();
    AttentionMask::new(rows)
}

fn rotation(batch: usize, seq: usize, rows: usize, head: usize) -> Rotation {
    let pairs = head / 2 / rows;
    let inv_freq: Vec<f32> =
        (0..pairs).map(|i| 10_000f32.powf(-(i as f32) / pairs as f32)).collect();
    let ids = (0..batch * rows * seq).map(|i| (i * 7 % 50) as u32).collect();
    Rotation::new(&inv_freq, &PositionIds { batch, rows, seq, ids }, &Device::Cpu).unwrap()
}

#[test]
fn rotary_split_agrees_with_one_and_two_rows_of_positions() {
    for [batch, seq, heads, head] in SIZES {
        for rows in [1, 2] {
            let qkv = variable(1, &[batch, seq, heads * 3 * head]);
            let rotation = rotation(batch, seq, rows, head);

            same(
                &format!("{batch} x {seq}, {heads} heads of {head}, {rows} rows"),
                &[&qkv],
                || rotary_qkv(&qkv, &rotation, heads),
                || composed::rotary_qkv(&qkv, &rotation, heads),
            );
        }
    }
}

#[test]
fn a_turn_is_the_published_formula() {
    // x cos + rotate_half(x) sin, each half of the head by its own position.
    let positions = PositionIds { batch: 1, rows: 2, seq: 1, ids: vec![2, 3] };
    let rotation = Rotation::new(&[1.0, 0.1], &positions, &Device::Cpu).unwrap();
    let head: Vec<f32> = (1..=8).map(|x| x as f32).collect();
    let qkv = Tensor::new([head.clone(), head.clone(), head].concat(), &Device::Cpu).unwrap();

    let split = rotary_qkv(&qkv.reshape((1, 1, 24)).unwrap(), &rotation, 1).unwrap();

    let query: Vec<f32> = split.get(0).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    let mut expected = Vec::new();
    for (position, [a, b, c, d]) in [(2.0f32, [1.0, 2.0, 3.0, 4.0]), (3.0, [5.0, 6.0, 7.0, 8.0])] {
        let (first, second) = (position, position * 0.1);
        expected.extend([
            a * first.cos() - c * first.sin(),
            b * second.cos() - d * second.sin(),
            c * first.cos() + a * first.sin(),
            d * second.cos() + b * second.sin(),
        ]);
    }
    for (actual, expected) in query.iter().zip(expected) {
        assert!((actual - expected).abs() < 1e-5, "{actual} is not {expected}");
    }
}

#[test]
fn attention_agrees_alone_and_with_the_split() {
    for [batch, seq, heads, head] in SIZES {
        let what = format!("{batch} x {seq}, {heads} heads of {head}");
        let mask = mask(batch, seq);
        let split = variable(1, &[3, batch, heads, seq, head]);
        same(&what, &[&split], || attention(&split, &mask), || composed::attention(&split, &mask));

        let qkv = variable(2, &[batch, seq, heads * 3 * head]);
        let rotation = rotation(batch, seq, 2, head);
        same(
            &what,
            &[&qkv],
            || rotary_attention(&qkv, &rotation, heads, &mask),
            || composed::attention(&composed::rotary_qkv(&qkv, &rotation, heads)?, &mask),
        );
    }
}

#[test]
fn packed_sequences_do_not_see_each_other() {
    let (heads, head) = (2, 16);
    let sequences = [(1, 1), (23, 9), (7, 2), (40, 33)];
    let seq = sequences.iter().map(|it| it.0).sum();
    let mask = AttentionMask::packed(&sequences);
    let qkv = variable(2, &[1, seq, heads * 3 * head]);
    let rotation = rotation(1, seq, 2, head);
    let read = || rotary_attention(&qkv, &rotation, heads, &mask);

    same("packed", &[&qkv], read, || {
        composed::attention(&composed::rotary_qkv(&qkv, &rotation, heads)?, &mask)
    });

    let turned = rotary_qkv(&qkv, &rotation, heads).unwrap();
    let (together, mut start) = (read().unwrap(), 0);
    for (len, context) in sequences {
        let alone = AttentionMask::new(vec![MaskRow { padding: 0, context }]);
        let own = turned.narrow(3, start, len).unwrap().contiguous().unwrap();
        let wanted = attention(&own, &alone).unwrap();
        assert!(difference(&together.narrow(1, start, len).unwrap(), &wanted) < 1e-6);
        start += len;
    }
    assert!(mask_of_another_size_is_refused(&qkv, &rotation, heads));
}

fn mask_of_another_size_is_refused(qkv: &Tensor, rotation: &Rotation, heads: usize) -> bool {
    let short = AttentionMask::packed(&[(3, 1), (4, 2)]);
    rotary_attention(qkv, rotation, heads, &short).is_err()
}

#[test]
fn padding_reads_zeros_and_is_read_by_nobody() {
    let mask = AttentionMask::new(vec![MaskRow { padding: 3, context: 2 }]);
    let split = random(1, &[3, 1, 2, 9, 8]);
    let noise = random(2, &[3, 1, 2, 3, 8]);
    let other = Tensor::cat(&[&noise, &split.narrow(3, 3, 6).unwrap()], 3).unwrap();

    let read = attention(&split, &mask).unwrap();
    let read_beside_noise = attention(&other.contiguous().unwrap(), &mask).unwrap();

    let values = read.narrow(1, 0, 3).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(values.iter().all(|x| x.to_bits() == 0));
    assert!(difference(&read_beside_noise, &read) < 1e-7);
}

#[test]
fn a_cache_reads_what_the_whole_sequence_reads() {
    for dtype in [DType::F32, DType::F64] {
        let (heads, seq, head) = (3, 140, 16);
        let mask = AttentionMask::new(vec![MaskRow { padding: 0, context: 61 }]);
        let split = random(1, &[3, 1, heads, seq, head]).to_dtype(dtype).unwrap();
        let expected = composed::attention(&split, &mask).unwrap();

        let pool =
            PagePool::new(PageShape { layers: 2, heads, head }, dtype, &Device::Cpu, Some(3));
        let mut cache = KvCache::new(&pool);
        let mut parts = Vec::new();
        // The context at once, then a few tokens over the end of a page, then one by one; a step back in between.
        let one_by_one = (70..seq).map(|at| (at, 1));
        for (start, len) in [(0, 61), (61, 9), (61, 9)].into_iter().chain(one_by_one) {
            cache.truncate(start);
            parts.truncate(if start == 61 { 1 } else { parts.len() });
            let part = split.narrow(3, start, len).unwrap().contiguous().unwrap();
            cache.reserve(len).unwrap();
            parts.push(cache.layer(1).attention(&part, &mask).unwrap());
            cache.advance(len);
        }

        let read = Tensor::cat(&parts, 1).unwrap().to_dtype(DType::F32).unwrap();
        assert!(difference(&read, &expected.to_dtype(DType::F32).unwrap()) < 1e-6);
        assert_eq!(cache.len(), seq);
        assert_eq!(pool.counts().in_use, seq.div_ceil(PAGE_TOKENS));
        assert!(cache.layer(1).attention(&split, &mask).is_err(), "no room was made");
        assert!(cache.reserve(seq).is_err(), "there are three pages");
    }
}

#[test]
fn who_shares_pages_copies_the_last_one_before_it_writes() {
    let (heads, seq, head) = (2, 100, 8);
    let shape = PageShape { layers: 1, heads, head };
    let pool = PagePool::new(shape, DType::F32, &Device::Cpu, None);
    let mask = AttentionMask::new(vec![MaskRow { padding: 0, context: seq }]);
    let read = |cache: &mut KvCache, seed: u64, tokens: usize| {
        cache.reserve(tokens).unwrap();
        let read =
            cache.layer(0).attention(&random(seed, &[3, 1, heads, tokens, head]), &mask).unwrap();
        cache.advance(tokens);
        read.flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    let fresh = |seed| {
        let mut cache = KvCache::new(&pool);
        read(&mut cache, 1, seq);
        read(&mut cache, seed, 1)
    };
    let wanted = [fresh(2), fresh(3)];

    let mut first = KvCache::new(&pool);
    read(&mut first, 1, seq);
    let mut second = first.share();
    assert_eq!(pool.counts().in_use, 2, "nothing is copied yet");

    assert_eq!([read(&mut first, 2, 1), read(&mut second, 3, 1)], wanted);
    assert_eq!(pool.counts().in_use, 3, "the full page is one for both");
    drop((first, second));
    assert_eq!(pool.counts().in_use, 0);
}
