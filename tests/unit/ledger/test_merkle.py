"""Published vectors: the tree of certificate-transparency's own tests."""

import pytest

from gateway.ledger import merkle
from gateway.ledger.proofs import TileNodes
from gateway.model.errors import ExchangeError

LEAVES = [
    bytes.fromhex(data)
    for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    bytes.fromhex(data)
    for data in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]


def node(level, index):
    return merkle.root(HASHES[index << level : (index + 1) << level])


@pytest.mark.parametrize("size", range(9))
def test_roots(size):
    assert merkle.root(HASHES[:size]) == merkle.tree_root(size, node) == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_inclusion_proofs(index, size, proof):
    made = merkle.inclusion_proof(index, size, node)
    assert [step.hex() for step in made] == proof
    merkle.verify_inclusion(index, size, HASHES[index], made, ROOTS[size])


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_consistency_proofs(old, new, proof):
    made = merkle.consistency_proof(old, new, node)
    assert [step.hex() for step in made] == proof
    merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], made)


def test_leaves_and_nodes_are_told_apart():
    assert merkle.leaf_hash(HASHES[0] + HASHES[1]) != merkle.node_hash(HASHES[0], HASHES[1])


@pytest.mark.parametrize(("index", "size"), [(-1, 8), (8, 8), (0, 0)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(index, size, node)
    with pytest.raises(ExchangeError):
        merkle.verify_inclusion(index, size, HASHES[0], [], ROOTS[0])


def test_nodes_are_read_from_tiles_only_where_all_their_leaves_are():
    hashes = b"".join(HASHES[:7])
    nodes = TileNodes(7, lambda level, index, width: hashes[: width * 32])
    assert nodes(1, 2) == node(1, 2)
    for level, index in ((0, 7), (1, 3), (3, 0)):
        with pytest.raises(ValueError, match="not in the tree"):
            nodes(level, index)


def test_there_is_no_proof_that_a_tree_extends_a_larger_one():
    with pytest.raises(ValueError, match="larger"):
        merkle.consistency_proof(3, 2, node)


def test_the_empty_tree_is_before_every_tree_but_has_one_root():
    merkle.verify_consistency(0, 8, merkle.EMPTY_ROOT, ROOTS[8], [])
    for old, new, before, after in ((0, 8, ROOTS[1], ROOTS[8]), (0, 0, merkle.EMPTY_ROOT, ROOTS[1])):
        with pytest.raises(ExchangeError):
            merkle.verify_consistency(old, new, before, after, [])
