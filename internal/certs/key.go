package certs

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"hash"
)

var (
	errLocked   = errors.New("it is encrypted")                                                // and no password is there
	errPassword = errors.New("the password does not open it")                                  //
	errCipher   = errors.New("it is encrypted in a way that is not known here (PBES2 wanted)") //
)

// mostRounds bounds what a key file can make us compute: ten times what openssl asks for at most.
const mostRounds = 10_000_000

// isEncrypted tells PKCS#8 encryption and the older one of OpenSSL, whose header says so.
func isEncrypted(block *pem.Block) bool {
	return block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != ""
}

// openKey reads a private key block; password is nil if there is none.
func openKey(block *pem.Block, password []byte) (crypto.Signer, error) {
	der := block.Bytes
	if isEncrypted(block) {
		if password == nil {
			return nil, errLocked
		}
		var err error
		if block.Type == "ENCRYPTED PRIVATE KEY" {
			der, err = openPBES2(der, password)
		} else if der, err = x509.DecryptPEMBlock(block, password); err != nil { //nolint:staticcheck // people still have such files
			err = errPassword
		}
		if err != nil {
			return nil, err
		}
	}
	return parseKey(der)
}

// parseKey takes PKCS#8, PKCS#1 and SEC1, whatever the block was called.
func parseKey(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if rsa, failed := x509.ParsePKCS1PrivateKey(der); failed == nil {
			return rsa, nil
		}
		if ec, failed := x509.ParseECPrivateKey(der); failed == nil {
			return ec, nil
		}
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("it cannot sign")
	}
	return signer, nil
}

// The parts of RFC 8018 that OpenSSL and others write: PBES2 with PBKDF2 and AES in CBC mode.
type (
	encryptedKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Sealed    []byte
	}
	pbes2 struct{ KDF, Cipher pkix.AlgorithmIdentifier }
	kdf   struct {
		Salt   []byte
		Rounds int
		Length int                      `asn1:"optional"`
		PRF    pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

// hashes are the pseudo-random functions of PBKDF2 (RFC 8018 B.1), keyLengths those of AES-CBC, by object identifier.
var (
	hashes = map[string]func() hash.Hash{
		"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New,
		"1.2.840.113549.2.10": sha512.New384, "1.2.840.113549.2.11": sha512.New,
	}
	keyLengths = map[string]int{"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, "2.16.840.1.101.3.4.1.42": 32}
)

// openPBES2 decrypts a PKCS#8 EncryptedPrivateKeyInfo.
func openPBES2(der, password []byte) ([]byte, error) {
	var (
		locked encryptedKey
		scheme pbes2
		derive kdf
		iv     []byte
	)
	_, err := asn1.Unmarshal(der, &locked)
	for _, part := range []struct{ from, to any }{
		{&locked.Algorithm.Parameters, &scheme}, {&scheme.KDF.Parameters, &derive}, {&scheme.Cipher.Parameters, &iv},
	} {
		if err == nil {
			_, err = asn1.Unmarshal(part.from.(*asn1.RawValue).FullBytes, part.to)
		}
	}
	if err != nil {
		return nil, errCipher
	}
	algorithm := ""
	if derive.PRF.Algorithm != nil {
		algorithm = derive.PRF.Algorithm.String()
	}
	newHash, length := hashes[algorithm], keyLengths[scheme.Cipher.Algorithm.String()]
	if scheme.KDF.Algorithm.String() != "1.2.840.113549.1.5.12" || newHash == nil || length == 0 || len(iv) != aes.BlockSize || derive.Rounds < 1 || derive.Rounds > mostRounds ||
		len(locked.Sealed) == 0 || len(locked.Sealed)%aes.BlockSize != 0 {
		return nil, errCipher
	}
	secret, err := pbkdf2.Key(newHash, string(password), derive.Salt, derive.Rounds, length)
	if err != nil {
		return nil, errCipher
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, errCipher
	}
	plain := make([]byte, len(locked.Sealed))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, locked.Sealed)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > aes.BlockSize {
		return nil, errPassword
	}
	plain = plain[:len(plain)-pad]
	if _, err := x509.ParsePKCS8PrivateKey(plain); err != nil {
		return nil, errPassword
	}
	return plain, nil
}
