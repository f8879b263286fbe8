import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** An echo peer over JSSE. It prints one line of JSON: what was negotiated, or the error. */
public final class Echo {
    private static final Map<String, String> options = new HashMap<>();
    private static final Map<String, String> report = new HashMap<>();
    private static int echoed = 0;

    private static PrivateKey privateKey(String file) throws Exception {
        String pem = Files.readString(Path.of(file));
        byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        for (String algorithm : new String[] {"EC", "RSA", "EdDSA"}) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (java.security.spec.InvalidKeySpecException wrong) {
                // It is of another kind.
            }
        }
        throw new IOException("no key in " + file);
    }

    private static SSLContext context() throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("ca",
            factory.generateCertificate(new ByteArrayInputStream(Files.readAllBytes(Path.of(options.get("ca"))))));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        KeyManagerFactory keys = null;
        if (options.containsKey("chain")) {
            KeyStore own = KeyStore.getInstance("PKCS12");
            own.load(null, null);
            byte[] pem = Files.readAllBytes(Path.of(options.get("chain")));
            Certificate[] chain = factory.generateCertificates(new ByteArrayInputStream(pem)).toArray(new Certificate[0]);
            own.setKeyEntry("own", privateKey(options.get("key")), new char[0], chain);
            keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(own, new char[0]);
        }
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys == null ? null : keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static void set(SSLParameters parameters) {
        if (options.containsKey("protocols")) {
            parameters.setProtocols(options.get("protocols").split(","));
        }
        if (options.containsKey("suites")) {
            parameters.setCipherSuites(options.get("suites").split(","));
        }
        if (options.containsKey("alpn")) {
            parameters.setApplicationProtocols(options.get("alpn").split(","));
        }
        if ("request".equals(options.get("auth"))) {
            parameters.setWantClientAuth(true);
        } else if ("require".equals(options.get("auth"))) {
            parameters.setNeedClientAuth(true);
        }
    }

    private static void describe(SSLSocket socket) {
        SSLSession session = socket.getSession();
        report.put("version", session.getProtocol());
        report.put("suite", session.getCipherSuite());
        report.put("alpn", socket.getApplicationProtocol());
        try {
            report.put("peer", ((X509Certificate) session.getPeerCertificates()[0]).getSubjectX500Principal().getName());
        } catch (javax.net.ssl.SSLPeerUnverifiedException none) {
            report.put("peer", "");
        }
    }

    private static void finish() {
        StringBuilder json = new StringBuilder("{\"echoed\": " + echoed);
        for (Map.Entry<String, String> item : report.entrySet()) {
            String value = String.valueOf(item.getValue()).replace("\\", "\\\\").replace("\"", "'").replace("\n", " ");
            json.append(", \"").append(item.getKey()).append("\": \"").append(value).append('"');
        }
        System.out.println(json.append('}'));
        System.out.flush();
    }

    private static void serve(SSLContext context) throws Exception {
        try (SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory()
                .createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            SSLParameters parameters = listener.getSSLParameters();
            set(parameters);
            listener.setSSLParameters(parameters);
            listener.setSoTimeout(30000);
            System.out.println("port " + listener.getLocalPort());
            System.out.flush();
            try (SSLSocket socket = (SSLSocket) listener.accept()) {
                socket.setSoTimeout(30000);
                socket.startHandshake();
                describe(socket);
                byte[] buffer = new byte[65536];
                InputStream in = socket.getInputStream();
                OutputStream out = socket.getOutputStream();
                for (int count; (count = in.read(buffer)) >= 0; ) {
                    echoed += count;
                    out.write(buffer, 0, count);
                    out.flush();
                }
            }
        }
    }

    private static void connect(SSLContext context) throws Exception {
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory()
                .createSocket("localhost", Integer.parseInt(options.get("port")))) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            set(parameters);
            socket.setSSLParameters(parameters);
            socket.setSoTimeout(30000);
            socket.startHandshake();
            byte[] data = new byte[Integer.parseInt(options.getOrDefault("size", "5"))];
            Arrays.fill(data, (byte) 'x');
            Thread writer = new Thread(() -> {
                try {
                    socket.getOutputStream().write(data);
                } catch (IOException failed) {
                    report.put("error", failed.toString());
                }
            });
            writer.start();
            byte[] received = socket.getInputStream().readNBytes(data.length);
            writer.join();
            echoed = received.length;
            describe(socket);
            if (!Arrays.equals(data, received)) {
                report.put("error", "the echo is not what was sent");
            }
        }
    }

    public static void main(String[] arguments) {
        for (String item : arguments) {
            String[] parts = item.replaceFirst("^-", "").split("=", 2);
            options.put(parts[0], parts[1]);
        }
        if (options.containsKey("groups")) {
            System.setProperty("jdk.tls.namedGroups", options.get("groups"));
        }
        // What the JDK switches off is switched on, to be tested: RSA key transport, and versions before TLS 1.2.
        Security.setProperty("jdk.tls.disabledAlgorithms", "");
        Security.setProperty("jdk.tls.legacyAlgorithms", "");
        try {
            if ("server".equals(options.get("role"))) {
                serve(context());
            } else {
                connect(context());
            }
        } catch (Exception failed) {
            report.put("error", failed.toString());
        }
        finish();
    }

    private Echo() {}
}
