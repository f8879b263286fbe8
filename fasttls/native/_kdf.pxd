"""C declarations of the module beside."""

from fasttls.native._secret cimport Secret


cpdef Secret hkdf_extract(str hash_name, Secret salt, Secret input_key)
cpdef Secret hkdf_expand_label(str hash_name, Secret secret, bytes label, bytes context, Py_ssize_t size)
cpdef Secret derive_secret(str hash_name, Secret secret, bytes label, bytes transcript_hash)
cpdef tuple traffic_keys(str hash_name, Secret secret, Py_ssize_t key_size, Py_ssize_t iv_size=*)
cpdef Secret prf12(str hash_name, Secret secret, bytes label, bytes seed, Py_ssize_t size)
cpdef tuple key_block12(str hash_name, Secret master_secret, bytes client_random, bytes server_random,
                        Py_ssize_t key_size, Py_ssize_t fixed_iv_size)
