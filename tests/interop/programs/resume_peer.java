// A peer over JSSE that makes several connections, one after another. Whether it resumed, JSSE does not say; a session
// of TLS 1.2 and of TLS 1.3 keeps the time at which it was first made, and that is compared.

import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

class ResumePeer {
    public static void main(String[] arguments) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (String argument : arguments) {
            String[] parts = argument.substring(1).split("=", 2);
            options.put(parts[0], parts[1]);
        }
        int times = Integer.parseInt(options.getOrDefault("times", "2"));
        SSLContext context = context(options);
        StringBuilder made = new StringBuilder();
        boolean serves = options.get("role").equals("server");
        SSLServerSocket listener = null;
        if (serves) {
            listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0);
            System.out.println("port " + listener.getLocalPort());
        }
        for (int count = 0; count < times; count++) {
            SSLSocket socket = serves
                ? (SSLSocket) listener.accept()
                : (SSLSocket) context.getSocketFactory().createSocket("localhost", Integer.parseInt(options.get("port")));
            socket.setSoTimeout(20000);
            if (serves) {
                socket.getOutputStream().write(socket.getInputStream().read());
                socket.getInputStream().read();
            } else {
                socket.getOutputStream().write('x');
                socket.getInputStream().read();
            }
            made.append(count == 0 ? "" : ", ").append(socket.getSession().getCreationTime());
            socket.close();
            Thread.sleep(5);
        }
        System.out.println("{\"made\": [" + made + "]}");
        System.exit(0);
    }

    private static SSLContext context(Map<String, String> options) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null);
        try (InputStream file = new FileInputStream(options.get("ca"))) {
            trusted.setCertificateEntry("ca", factory.generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        KeyManagerFactory keys = null;
        if (options.containsKey("chain")) {
            String pem = Files.readString(Path.of(options.get("key"))).replaceAll("-----[^-]*-----|\\s", "");
            PrivateKey key = KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
            KeyStore own = KeyStore.getInstance(KeyStore.getDefaultType());
            own.load(null);
            try (InputStream file = new FileInputStream(options.get("chain"))) {
                Certificate[] chain = factory.generateCertificates(file).toArray(new Certificate[0]);
                own.setKeyEntry("own", key, new char[0], chain);
            }
            keys = KeyManagerFactory.getInstance("PKIX");
            keys.init(own, new char[0]);
        }
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys == null ? null : keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
