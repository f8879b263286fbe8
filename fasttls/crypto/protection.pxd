"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.native._secret cimport Secret

cpdef sealer13(suite, Secret secret)
cpdef sealer12(keys)
cpdef opener12(keys)
cpdef opener13(suite, Secret secret)
