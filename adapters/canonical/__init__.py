"""From the fields of agency systems to the canonical data elements of ``schemas/json``.

Text is NFC. Parts of a name are kept where a source gives them, never guessed. Codes outside a source's own list become
``unlisted``; codes that the canonical form cannot hold are left out.
"""
