;; What resampleCubic.ts computes most often: eight-bit levels times weights of 22 bits, four sums at a time.
;; Both functions read up to 15 bytes, and write up to 15, behind what they are asked for.
(module
  (memory (export "memory") 1)

  ;; A row of the source at its final width, three bytes a pixel. An output pixel is made of $pairs pairs of neighbours in the source: products of 16 bits come in pairs, so weights are in two parts.
  ;; $first: by output pixel, the place of its first source pixel in bytes. $weights: [columns, pairs], each the two weights' upper parts (in units of 2048) and their lower ones, 16 bits each.
  (func (export "makeLine") (param $source i32) (param $first i32) (param $weights i32) (param $pairs i32) (param $columns i32) (param $line i32)
    (local $end i32) (local $pixel i32) (local $weightsEnd i32) (local $levels v128) (local $upper v128) (local $lower v128)
    (local.set $end (i32.add (local.get $line) (i32.mul (local.get $columns) (i32.const 3))))
    (loop $column
      (local.set $pixel (i32.add (local.get $source) (i32.load (local.get $first))))
      (local.set $weightsEnd (i32.add (local.get $weights) (i32.shl (local.get $pairs) (i32.const 3))))
      (local.set $upper (v128.const i32x4 0 0 0 0))
      (local.set $lower (call $half))
      (loop $pair
        ;; Red of both, green of both, blue of both.
        (local.set $levels (i8x16.swizzle (v128.load64_zero (local.get $pixel)) (v128.const i8x16 0 255 3 255 1 255 4 255 2 255 5 255 255 255 255 255)))
        (local.set $upper (i32x4.add (local.get $upper) (i32x4.dot_i16x8_s (local.get $levels) (v128.load32_splat (local.get $weights)))))
        (local.set $lower (i32x4.add (local.get $lower) (i32x4.dot_i16x8_s (local.get $levels) (v128.load32_splat offset=4 (local.get $weights)))))
        (local.set $pixel (i32.add (local.get $pixel) (i32.const 6)))
        (local.set $weights (i32.add (local.get $weights) (i32.const 8)))
        (br_if $pair (i32.lt_u (local.get $weights) (local.get $weightsEnd))))
      (local.set $lower (i32x4.add (local.get $lower) (i32x4.shl (local.get $upper) (i32.const 11))))
      (v128.store32_lane 0 (local.get $line) (call $levels (local.get $lower) (local.get $lower) (local.get $lower) (local.get $lower)))
      (local.set $first (i32.add (local.get $first) (i32.const 4)))
      (local.set $line (i32.add (local.get $line) (i32.const 3)))
      (br_if $column (i32.lt_u (local.get $line) (local.get $end)))))

  ;; A row of the result from $count lines of $pitch bytes, in a ring: $line is the first, behind $ringEnd comes $ring.
  (func (export "addLines") (param $line i32) (param $ring i32) (param $ringEnd i32) (param $pitch i32) (param $weights i32) (param $count i32) (param $length i32) (param $row i32)
    (local $at i32) (local $from i32) (local $weight i32) (local $weightsEnd i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $levels v128) (local $half v128) (local $factor v128)
    (local.set $weightsEnd (i32.add (local.get $weights) (i32.shl (local.get $count) (i32.const 2))))
    (loop $sixteen
      (local.set $a (call $half))
      (local.set $b (call $half))
      (local.set $c (call $half))
      (local.set $d (call $half))
      (local.set $from (local.get $line))
      (local.set $weight (local.get $weights))
      (loop $tap
        (local.set $factor (v128.load32_splat (local.get $weight)))
        (local.set $levels (v128.load (i32.add (local.get $from) (local.get $at))))
        (local.set $half (i16x8.extend_low_i8x16_u (local.get $levels)))
        (local.set $a (i32x4.add (local.get $a) (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $half)) (local.get $factor))))
        (local.set $b (i32x4.add (local.get $b) (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $half)) (local.get $factor))))
        (local.set $half (i16x8.extend_high_i8x16_u (local.get $levels)))
        (local.set $c (i32x4.add (local.get $c) (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $half)) (local.get $factor))))
        (local.set $d (i32x4.add (local.get $d) (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $half)) (local.get $factor))))
        (local.set $from (i32.add (local.get $from) (local.get $pitch)))
        (local.set $from (select (local.get $ring) (local.get $from) (i32.eq (local.get $from) (local.get $ringEnd))))
        (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
        (br_if $tap (i32.lt_u (local.get $weight) (local.get $weightsEnd))))
      (v128.store (i32.add (local.get $row) (local.get $at)) (call $levels (local.get $a) (local.get $b) (local.get $c) (local.get $d)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $sixteen (i32.lt_u (local.get $at) (local.get $length)))))

  ;; One half of a level, so that sums are rounded.
  (func $half (result v128)
    (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))

  ;; Sixteen sums in units of 2^-22 of a level, cut off at black and white.
  (func $levels (param $a v128) (param $b v128) (param $c v128) (param $d v128) (result v128)
    (i8x16.narrow_i16x8_u
      (i16x8.narrow_i32x4_s (i32x4.shr_s (local.get $a) (i32.const 22)) (i32x4.shr_s (local.get $b) (i32.const 22)))
      (i16x8.narrow_i32x4_s (i32x4.shr_s (local.get $c) (i32.const 22)) (i32x4.shr_s (local.get $d) (i32.const 22))))))
