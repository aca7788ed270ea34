"""What the image is made of: the bill of materials, licences, and known vulnerabilities of the locked dependencies."""
