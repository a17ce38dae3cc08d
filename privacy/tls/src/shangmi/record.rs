//! Records under SM4-GCM: RFC 8446 section 5.2 with the cipher of RFC 8998 section 3.2.

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{AeadInOut, KeyInit, Nonce as GcmNonce, Tag};
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, MessageDecrypter, MessageEncrypter, Nonce,
    OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload, Tls13AeadAlgorithm, UnsupportedOperationError,
    make_tls13_aad,
};
use rustls::{ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion};
use sm4::Sm4;

pub(super) type Sm4Gcm = AesGcm<Sm4, U12>;

const KEY: usize = 16;
const TAG: usize = 16;

pub(super) struct Sm4GcmRecords;

impl Tls13AeadAlgorithm for Sm4GcmRecords {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(Records::new(key.as_ref(), iv))
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        Box::new(Records::new(key.as_ref(), iv))
    }

    fn key_len(&self) -> usize {
        KEY
    }

    /// Traffic keys never leave.
    fn extract_keys(&self, _key: AeadKey, _iv: Iv) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

/// One direction of a connection. Without a cipher, for a key of another length than `key_len` asked for, nothing passes.
pub(super) struct Records {
    cipher: Option<Sm4Gcm>,
    iv: Iv,
}

impl Records {
    pub(super) fn new(key: &[u8], iv: Iv) -> Self {
        Self { cipher: Sm4Gcm::new_from_slice(key).ok(), iv }
    }

    fn nonce(&self, seq: u64) -> GcmNonce<Sm4Gcm> {
        Nonce::new(&self.iv, seq).0.into()
    }
}

impl MessageEncrypter for Records {
    fn encrypt(&mut self, msg: OutboundPlainMessage<'_>, seq: u64) -> Result<OutboundOpaqueMessage, Error> {
        let cipher = self.cipher.as_ref().ok_or(Error::EncryptError)?;
        let length = self.encrypted_payload_len(msg.payload.len());
        let mut payload = PrefixedPayload::with_capacity(length);
        payload.extend_from_chunks(&msg.payload);
        payload.extend_from_slice(&[u8::from(msg.typ)]);
        let tag = cipher
            .encrypt_inout_detached(&self.nonce(seq), &make_tls13_aad(length), payload.as_mut().into())
            .map_err(|_| Error::EncryptError)?;
        payload.extend_from_slice(&tag);
        Ok(OutboundOpaqueMessage::new(ContentType::ApplicationData, ProtocolVersion::TLSv1_2, payload))
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        payload_len + 1 + TAG
    }
}

impl MessageDecrypter for Records {
    fn decrypt<'a>(&mut self, mut msg: InboundOpaqueMessage<'a>, seq: u64) -> Result<InboundPlainMessage<'a>, Error> {
        let cipher = self.cipher.as_ref().ok_or(Error::DecryptError)?;
        let payload = &mut msg.payload;
        let aad = make_tls13_aad(payload.len());
        let length = payload.len().checked_sub(TAG).ok_or(Error::DecryptError)?;
        let (text, tag) = payload.split_at_mut_checked(length).ok_or(Error::DecryptError)?;
        let tag = Tag::<Sm4Gcm>::try_from(&*tag).map_err(|_| Error::DecryptError)?;
        cipher.decrypt_inout_detached(&self.nonce(seq), &aad, text.into(), &tag).map_err(|_| Error::DecryptError)?;
        payload.truncate(length);
        msg.into_tls13_unpadded_message()
    }
}
