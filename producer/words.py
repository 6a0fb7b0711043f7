"""The simulated world's vocabulary: agent names, cities beyond the profile's thirty, phrases of remarks."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Aarav Aditi Akash Amelia Amit Ananya Andrew Anita Arjun Ben Carla Chloe Daniel Deepak Diana Divya Elena Emma "
    "Ethan Farah Fatima Gaurav George Grace Hannah Harish Helen Imran Ines Ishaan Jack James Jaya Julia Karan Kavya "
    "Kiran Laura Leo Lucy Manish Maria Meera Michael Mohan Nadia Naveen Neha Nikhil Nina Oscar Pallavi Paul Pooja "
    "Priya Rahul Rajesh Ravi Rebecca Rohan Ruth Sachin Sana Sandra Sanjay Sara Shreya Simon Sneha Sonia Suresh Tara "
    "Thomas Uma Varun Vera Victor Vikram Vivek Yasmin Zara"
)
LAST_NAMES = _words(
    "Agarwal Ahmed Anderson Bailey Banerjee Bhatt Bose Brown Carter Chauhan Chopra Clark Costa Das Davis Desai "
    "Dutta Evans Fernandes Fisher Garcia Ghosh Gill Green Gupta Hall Harris Hill Iyer Jackson Jain James Jones "
    "Joshi Kapoor Kaur Khan Kulkarni Kumar Lewis Lopez Malhotra Martin Mehta Menon Miller Mishra Moore Nair Naidu "
    "Patel Pillai Rao Reddy Roberts Roy Saxena Shah Sharma Singh Smith Thomas Turner Varma Verma Walker White "
    "Wilson Wright"
)
OTHER_CITIES = _words(
    "AGRA AJMER ALIGARH ALWAR AMBALA AMRAVATI AMRITSAR ANAND ASANSOL BAREILLY BATHINDA BEGUSARAI BELGAUM BELLARY "
    "BHAGALPUR BHARATPUR BHAVNAGAR BHILAI BHILWARA BHIWANDI BHOPAL BIKANER BILASPUR BOKARO CALICUT CHANDIGARH "
    "CHANDRAPUR COIMBATORE CUTTACK DEHRADUN DHANBAD DHULE DURGAPUR ERNAKULAM ERODE GANDHINAGAR GAYA GUNTUR GUWAHATI "
    "GWALIOR HALDWANI HISAR HOSUR HOWRAH HUBLI IMPHAL JABALPUR JALANDHAR JALGAON JAMMU JAMNAGAR JHANSI JODHPUR "
    "KAKINADA KANNUR KARIMNAGAR KARNAL KOCHI KOLHAPUR KOLLAM KOTA KOTTAYAM KURNOOL LATUR LUDHIANA MADURAI MANGALORE "
    "MATHURA MEERUT MORADABAD MUZAFFARPUR MYSORE NADIAD NAGPUR NALGONDA NANDED NASHIK NELLORE NOIDA PALAKKAD "
    "PANIPAT PATIALA PONDICHERRY PURNIA RAIPUR RAJKOT RANCHI ROHTAK ROURKELA SAHARANPUR SALEM SAMBALPUR SANGLI "
    "SHIMLA SILIGURI SOLAPUR SONIPAT SRINAGAR THRISSUR TIRUPATI TRICHY TRIVANDRUM TUMKUR UDAIPUR UJJAIN VELLORE "
    "VIJAYAWADA WARANGAL"
)

# Of two sentiments: short ones are used alone, long ones are concatenated.
SHORT_PHRASES = {
    True: ("Good", "Nice", "Great", "Thanks", "Very good", "Super", "Excellent", "Good job", "Satisfied", "Happy"),
    False: ("Bad", "Poor", "Worst", "Not good", "No reply", "Very bad", "Useless", "Not solved", "Late ??", "Unhappy"),
}
LONG_PHRASES = {
    True: (
        "very good service",
        "the agent was polite and helpful",
        "my issue was solved quickly",
        "thank you for the quick refund",
        "explained everything clearly",
        "नमस्ते, बहुत अच्छा",
        "Shopzilla is the best ????",
        "happy with the support 👍",
        "pickup was arranged the same day",
        "everything was fine, thanks a lot",
    ),
    False: (
        "my problem is still not solved",
        "the refund has not come yet",
        "nobody called me back",
        "the pickup was cancelled again and again",
        "very bad experience",
        "wrong product was delivered",
        "बहुत ख़राब सर्विस",
        "waiting for ten days and no reply 😡",
        "the agent did not listen to me",
        "I will not buy from Shopzilla again",
    ),
}
