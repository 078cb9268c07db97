"""The published table of the customers' segments, for every test that holds a result to it."""

PUBLISHED = {
    # name: minutes, lifetime value, region number, members
    "Instagram Explorers": (1299.33, 115.18, 1.19, 289),
    "LinkedIn Networkers": (1801.27, 91.12, 2.00, 391),
    "Friends' Influence": (2018.97, 109.12, 1.42, 424),
    "Google-YouTube Mix": (2326.89, 103.94, 2.00, 939),
    "Anglo-Saxon Multi-Channel": (1539.15, 136.33, 0.00, 1055),
    "European Multi-Channel": (1874.75, 157.92, 1.00, 372),
    "Twitter Devotees": (985.33, 93.15, 1.60, 58),
    "Facebook Followers": (2767.64, 108.26, 1.32, 306),
}
