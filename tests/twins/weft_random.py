"""Random numbers as framework/node/random.h draws them, in numpy, for the twins.

Philox-4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405) keyed by (seed, path of the node),
counted by (block of four numbers, row of the batch, step).
"""
import numpy as np

MASK64 = 2**64 - 1
U32 = np.uint64(0xFFFFFFFF)
SHIFT32 = np.uint64(32)


def key(seed, path):
    """FNV-1a 64 of the path, mixed with the seed (SplitMix64)."""
    fnv = 0xCBF29CE484222325
    for byte in path.encode():
        fnv = (fnv ^ byte) * 0x100000001B3 & MASK64
    z = (fnv + (seed + 1) * 0x9E3779B97F4A7C15) & MASK64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK64
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK64
    return z ^ z >> 31


def philox(counter, key64):
    """Four arrays (or numbers) of 32 bits, broadcast together -> uint64 [4, ...] below 2^32."""
    c = np.broadcast_arrays(*(np.asarray(word, np.uint64) for word in counter))
    k0, k1 = key64 & 0xFFFFFFFF, key64 >> 32
    for _ in range(10):
        a = c[0] * np.uint64(0xD2511F53)
        b = c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> SHIFT32) ^ c[1] ^ np.uint64(k0), b & U32,
             (a >> SHIFT32) ^ c[3] ^ np.uint64(k1), a & U32]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c)


def bits(key64, step, rows, size):
    """The first `size` numbers of 32 bits of each of `rows` -> uint64 [rows, size]."""
    block = np.arange((size + 3) // 4)[None, :]
    row = np.asarray(rows)[:, None]
    words = philox((block, row, step & 0xFFFFFFFF, step >> 32), key64)
    return words.transpose(1, 2, 0).reshape(len(row), -1)[:, :size]


def uniform(key64, step, rows, size):
    """float32 [rows, size] in [0, 1), 24 bits."""
    return (bits(key64, step, rows, size) >> np.uint64(8)).astype(np.float32) * np.float32(2**-24)


def below_by_blocks(key64, step, row, size, n):
    """int64 [size] in [0, n): one after the other, a block of four numbers for each."""
    words = bits(key64, step, [row], 4 * size).reshape(size, 4)
    return np.array([(int(a) << 32 | int(b)) * n >> 64 for a, b in words[:, :2]], np.int64)


def normal(key64, step, rows, size):
    """float32 [rows, size]: Box-Muller over pairs, u1 in (0, 1], u2 in [0, 1). The functions are
    taken in float64 and rounded, as the C library does within: numpy's own differ by some ulp."""
    u = uniform(key64, step, rows, (size + 1) // 2 * 2)
    log = np.log((np.float32(1) - u[:, 0::2]).astype(np.float64)).astype(np.float32)
    radius = np.sqrt(np.float32(-2) * log)
    angle = (np.float32(2 * np.pi) * u[:, 1::2]).astype(np.float64)
    n = np.stack([radius * np.cos(angle).astype(np.float32),
                  radius * np.sin(angle).astype(np.float32)], axis=2)
    return n.reshape(len(n), -1)[:, :size]


def below(n, words):
    """Whole numbers in [0, n), int64 [rows, size], of bits [rows, 2 size]: high words and low ones."""
    high, low = words[:, 0::2], words[:, 1::2]
    n = np.asarray(n, np.uint64)
    return ((high * n + (low * n >> SHIFT32)) >> SHIFT32).astype(np.int64)


def integers(key64, step, rows, size, n):
    """int64 [rows, size] in [0, n)."""
    return below(n, bits(key64, step, rows, 2 * size))


def shuffled(key64, step, rows, n, k):
    """int64 [rows, n]: the positions 0 to n - 1, of which the first `k` are in a random order
    (Fisher & Yates)."""
    other = np.arange(k) + below(n - np.arange(k), bits(key64, step, rows, 2 * k))
    order = np.tile(np.arange(n), (len(other), 1))
    row = np.arange(len(other))
    for i in range(k):
        there = order[row, other[:, i]]
        order[row, other[:, i]], order[:, i] = order[:, i], there
    return order


def permuted(i, n, key64, epoch):
    """The places of elements `i` (an array) in a random order of [0, n): a keyed Feistel network of
    four rounds over the next power of four, walked until it lands below n."""
    half = ((n - 1 if n > 1 else 1).bit_length() + 1) // 2
    shift, mask = np.uint64(half), np.uint64((1 << half) - 1)
    place = np.array(i, np.uint64)
    todo = np.arange(len(place))
    while len(todo):
        left, right = place[todo] >> shift, place[todo] & mask
        for turn in range(4):
            high = (right >> SHIFT32) | np.uint64(turn << 24)
            word = philox((right & U32, high, epoch & 0xFFFFFFFF, epoch >> 32), key64)[0]
            left, right = right, left ^ (word & mask)
        place[todo] = (left << shift) | right
        todo = todo[place[todo] >= n]
    return place.astype(np.int64)


def start(seed, name, shape, fan_in):
    """How weft starts the weight `name`: uniform in ±1/sqrt(fan_in) -> float32 [shape]."""
    bound = np.float32(1 / np.sqrt(fan_in))
    rows, size = shape[0], int(np.prod(shape[1:], dtype=int))
    u = uniform(key(seed, "weights/" + name), 0, np.arange(rows), size)
    return ((2 * u - 1) * bound).reshape(shape)


def start_normal(seed, name, shape, deviation):
    """How weft starts the weight `name`, normal with a deviation -> float32 [shape]."""
    rows, size = shape[0], int(np.prod(shape[1:], dtype=int))
    n = normal(key(seed, "weights/" + name), 0, np.arange(rows), size)
    return (n * np.float32(deviation)).reshape(shape)
