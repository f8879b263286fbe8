"""C declarations of the module beside."""

from fasttls.native._secret cimport Secret


cpdef bytes finished13(str hash_name, Secret base_key, bytes transcript_hash)
cpdef bint finished13_matches(str hash_name, Secret base_key, bytes transcript_hash, bytes verify_data) except -1
cpdef bytes finished12(str hash_name, Secret master_secret, bytes label, bytes transcript_hash)
cpdef bint finished12_matches(str hash_name, Secret master_secret, bytes label, bytes transcript_hash,
                              bytes verify_data) except -1
