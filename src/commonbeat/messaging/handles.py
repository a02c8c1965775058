"""The handle that staff see instead of an address."""

from __future__ import annotations

import secrets

from commonbeat.foundation.ids import ALPHABET

# Birds, trees and stones: easy to say on the phone, and no name of a person, people or place among them.
WORDS = """
    Acorn Alder Almond Amber Apple Ash Aspen Badger Basalt Bay Beech Birch Bittern Bramble Buzzard Cedar Chalk
    Cherry Chestnut Clover Coot Coral Cormorant Cornel Crane Cricket Curlew Cypress Dipper Dove Dunlin Eagle
    Egret Elder Elm Falcon Fern Fig Finch Fir Flint Garnet Goldcrest Granite Grebe Gull Hawthorn Hazel Heather
    Heron Holly Hoopoe Hornbeam Ibis Ivy Jackdaw Jade Jasper Jay Juniper Kestrel Kingfisher Kite Lapwing Larch
    Lark Laurel Lavender Lilac Lime Linden Linnet Magpie Mallow Maple Marble Marten Martin Mint Moss Mulberry
    Myrtle Nettle Nightjar Nuthatch Oak Oat Olive Onyx Opal Oriole Osprey Otter Owl Palm Partridge Pear Pebble
    Pelican Petrel Pine Pipit Plane Plover Plum Poplar Poppy Quail Quartz Quince Rail Raven Redstart Reed
    Robin Roller Rook Rose Rowan Rush Sage Sandpiper Serin Shale Shrike Siskin Slate Snipe Sorrel Sparrow
    Spruce Starling Stork Swallow Swan Swift Teal Tern Thistle Thrush Thyme Topaz Tulip Twite Vine Wagtail
    Walnut Warbler Waxwing Wheat Whimbrel Willow Wren Yew
""".split()


def new_handle() -> str:
    """Make a random handle such as "Heron 4K7": about five million of them."""
    return f"{secrets.choice(WORDS)} {''.join(secrets.choice(ALPHABET) for _ in range(3))}"
